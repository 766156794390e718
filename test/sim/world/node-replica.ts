/** Puts a replica of one life of a simulated node together, on virtual ports. */
import {
  DEFAULT_REPLICA_LIMITS,
  FEATURE_LEVEL_MAX,
  Replica,
  type ReplicaLimits,
} from "@ferrite/node/simulation";
import { StorageError } from "@ferrite/storage";
import { settlingEarly } from "./canary.ts";
import { lendsSnapshotsAt } from "./known-payloads.ts";
import type { OpenedDisk } from "./disk-opening.ts";
import type { MachineClock } from "./life-clock.ts";
import { isDiskFault, type ObservedMachine } from "./node-life.ts";
import type { Scheduler } from "./scheduler.ts";
import type { SimNode } from "./sim-node.ts";
import type { SimNodeOptions } from "./sim-node-options.ts";
import type { VirtualLogWriter } from "./virtual-log-writer.ts";

const ROUND_AFTER_MS = 0.01;

export interface ReplicaLife {
  readonly node: SimNode;
  readonly options: SimNodeOptions;
  readonly opened: OpenedDisk;
  readonly writer: VirtualLogWriter;
  readonly machine: ObservedMachine;
  readonly incarnation: number;
  readonly clock: MachineClock;
  /** Of this life. */
  readonly schedule: Pick<Scheduler, "after">;
  readonly newMachine: () => ObservedMachine;
  readonly failed: (error: Error) => void;
  readonly roundDone: () => void;
}

export function replicaLimits(options: SimNodeOptions): ReplicaLimits {
  return { ...DEFAULT_REPLICA_LIMITS, ...options.limits, applyRecordsPerRound: 64 };
}

export function newReplica(life: ReplicaLife): Replica {
  const { node, options, opened, clock, schedule } = life;
  const { id } = node.member;
  const random = options.prng.fork();
  return new Replica(
    {
      nodeId: id,
      genesis: options.genesis,
      incarnation: life.incarnation,
      limits: replicaLimits(options),
      recovered: {
        ...opened.recovered,
        snapshot: opened.snapshots.latest(),
        machine: life.machine,
        floor: opened.floor,
      },
      newMachine: life.newMachine,
    },
    {
      clock: { nowMs: clock.wallMs, monotonicMs: clock.monotonicMs },
      random: () => random.next(),
      defer: (run) => schedule.after(options.roundAfterMs ?? ROUND_AFTER_MS, run),
      log: life.writer,
      snapshots: opened.snapshots,
      transport: transport(life),
      featureLevelOf: (peer) => levelOf(options, id, peer),
      commands: options.table,
      events: events(life),
    },
  );
}

function levelOf({ links, network }: SimNodeOptions, from: string, to: string): number | null {
  if (links !== undefined) return links.levelOf(from, to);
  return network.isLinked(from, to) ? FEATURE_LEVEL_MAX : null;
}

function transport({
  node,
  options,
  schedule,
}: ReplicaLife): ConstructorParameters<typeof Replica>[1]["transport"] {
  const { id } = node.member;
  const own = {
    ...options.network.transport(id),
    lendsSnapshots: (peer: string) =>
      lendsSnapshotsAt(node.featureLevel) && lendsSnapshotsAt(levelOf(options, id, peer)),
  };
  if (!options.canary.settleEarly) return own;
  return settlingEarly(own, (from, payload) =>
    schedule.after(0, () => node.replica?.onPayload(from, payload, 0)),
  );
}

function events(life: ReplicaLife): ConstructorParameters<typeof Replica>[1]["events"] {
  const { node, options, failed } = life;
  const trace = (line: string): void => options.events.trace(`${node.label} ${line}`);
  return {
    roleChanged: ({ role, term, leader }) => {
      trace(`${role} ${term} ${leader ?? "-"}`);
      if (role === "leader") options.events.becameLeader(node);
    },
    commandThrew: (name, error) => failed(new Error(`command ${name} threw`, { cause: error })),
    keysExpired: () => {},
    snapshotTaken: ({ index }) => trace(`took snapshot ${index}`),
    snapshotInstalled: ({ index }) => trace(`installed snapshot ${index}`),
    snapshotFailed: (error) => {
      // As production: it is told, and tried again.
      if (isDiskFault(error) || error instanceof StorageError)
        options.events.diskFailed(node, error);
      else failed(error);
    },
    diskStalled: (stalled) => trace(`disk ${stalled ? "hangs" : "answers again"}`),
    diskSpace: (full) => trace(`disk ${full ? "full" : "has room"}`),
    failed,
    roundDone: life.roundDone,
  };
}
