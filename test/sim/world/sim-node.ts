/**
 * One node of the simulated cluster: the real replica, state machine, log format and snapshots, on virtual time, disk
 * and network. It can be paused, killed (its unsynced writes may be lost) and started again from its disk.
 */
import {
  DEFAULT_REPLICA_LIMITS,
  FEATURE_LEVEL_MAX,
  Replica,
  TrackedSnapshots,
  initialConfiguration,
  restoreSnapshot,
  type AccessPorts,
  type CommandTable,
  type Genesis,
  type Member,
  type ReplicaLimits,
} from "@ferrite/node/simulation";
import type { UsersChange } from "@ferrite/acl";
import type { Entry } from "@ferrite/raft";
import { FileSystemSnapshotStore, SegmentedLog } from "@ferrite/storage";
import { crc32 } from "node:zlib";
import type { EntryMark, NodeFacts } from "../invariants/observer.ts";
import { NodeAtRest } from "./at-rest/node-at-rest.ts";
import { settlingEarly, type Canary } from "./canary.ts";
import { NodeEdge, type EdgeParts } from "./edge/node-edge.ts";
import type { ClientEvents, VirtualStream } from "./edge/virtual-stream.ts";
import { Mirror } from "./mirror.ts";
import { isDiskFault, nextIncarnation, ObservedMachine } from "./node-life.ts";
import type { Prng } from "./prng.ts";
import type { Scheduler } from "./scheduler.ts";
import { VirtualDisk } from "./virtual-disk.ts";
import { VirtualLogWriter, type DiskSpeed } from "./virtual-log-writer.ts";
import type { VirtualNetwork } from "./virtual-network.ts";

export interface SimNodeEvents {
  /** Something happens in the node. */
  touched?(node: SimNode): void;
  logWritten(node: SimNode, entries: readonly Entry[], marks: readonly EntryMark[]): void;
  becameLeader(node: SimNode): void;
  applied(
    node: SimNode,
    index: number,
    mark: { readonly term: number; readonly sum: number },
  ): void;
  usersChanged(change: UsersChange, index: number): void;
  restarted(node: SimNode): void;
  trace(line: string): void;
  /** The node stopped by itself: its disk failed, or it found a broken invariant. */
  failed(node: SimNode, error: Error): void;
  /** It could not start, or not take or receive a snapshot, for what its disk did. */
  diskFailed(node: SimNode, error: Error): void;
  /** Its log failed: the process ends now. */
  ended(node: SimNode): void;
}

export interface SimNodeOptions {
  readonly member: Member;
  readonly genesis: Genesis;
  readonly scheduler: Scheduler;
  readonly network: VirtualNetwork;
  readonly prng: Prng;
  /** Of its keys at rest alone. */
  readonly atRestPrng: Prng;
  readonly table: CommandTable;
  readonly access: AccessPorts;
  readonly diskSpeed: DiskSpeed;
  readonly canary: Canary;
  readonly limits: Partial<ReplicaLimits>;
  readonly events: SimNodeEvents;
  /** Absent: it has no server, and clients talk to its replica. */
  readonly edge?: EdgeParts;
}

interface GroupPlace {
  readonly clusterId: string;
  readonly groupId: number;
}

const DIRECTORY = "data";
const SEGMENT_BYTES = 32 * 1024;
/** As in production: idle clients, those that take too long to go. */
const HOUSEKEEPING_MS = 250;
/** A stop that takes longer is given up. */
const STOP_WITHIN_MS = 1000;
const CLOSING_MS_MAX = 100;

export class SimNode {
  readonly member: Member;
  readonly disk: VirtualDisk;
  readonly atRest: NodeAtRest;
  mirror: Mirror = new Mirror();
  /** How fast its monotonic clock goes: quartz differs. */
  clockRate = 1;
  /** Counts starts: what belongs to an earlier life does nothing any more. */
  life = 0;
  replica: Replica | null = null;
  #edge: NodeEdge | null = null;
  #connections = 0;
  readonly #options: SimNodeOptions;
  #writer: VirtualLogWriter | null = null;
  #paused = false;
  #stopping = false;
  #heldBack: (() => void)[] = [];
  #clockOffsetMs = 0;

  constructor(options: SimNodeOptions) {
    this.#options = options;
    this.member = options.member;
    this.disk = new VirtualDisk(options.prng.fork());
    this.atRest = new NodeAtRest({
      nodeId: options.member.id,
      disk: this.disk,
      directory: DIRECTORY,
      prng: options.atRestPrng,
      canary: options.canary,
      isDiskFault,
    });
  }

  get isUp(): boolean {
    return this.replica !== null;
  }

  get isPaused(): boolean {
    return this.#paused;
  }

  facts(): NodeFacts | null {
    const core = this.replica?.core;
    if (core === undefined) return null;
    return {
      name: this.member.name,
      role: core.role(),
      term: core.term(),
      commitIndex: core.commitIndex(),
      appliedIndex: this.replica!.machine.appliedIndex,
      lastIndex: core.lastIndex(),
      servesReads: this.replica!.readRefusal() === null,
    };
  }

  /** Where its snapshots are, and whose. */
  get snapshotPlace(): { readonly directory: string } & GroupPlace {
    const { clusterId } = this.#options.genesis;
    return { directory: `${DIRECTORY}/snapshots`, clusterId, groupId: 0 };
  }

  get logPlace(): { readonly directory: string; readonly segmentBytes: number } & GroupPlace {
    const { clusterId } = this.#options.genesis;
    return { directory: `${DIRECTORY}/log`, clusterId, groupId: 0, segmentBytes: SEGMENT_BYTES };
  }

  /** Users that could write here now, as the edge sees it; none while credentials are refused. */
  honouredUsers(): number[] {
    const { replica } = this;
    if (replica === null || this.#paused) return [];
    if (!this.#options.canary.honourStale && replica.access.credentialsRefusal() !== null)
      return [];
    const nowMs = replica.logicalNowMs();
    return replica.access
      .users()
      .all()
      .filter(({ id, isEnabled, expiresAtMs }) => {
        return id > 0 && isEnabled && (expiresAtMs === 0 || expiresAtMs > nowMs);
      })
      .map(({ id }) => id);
  }

  /** The value of a key behind its first bytes. */
  valueFrom(key: string, skipBytes: number): string {
    const keyspace = this.replica?.machine.keyspace;
    const bytes = Buffer.from(key);
    const ref = keyspace?.find(bytes, 0, bytes.length, 0) ?? 0;
    if (keyspace === undefined || ref === 0) return "";
    const start = keyspace.valueStart(ref);
    const end = start + keyspace.valueLength(ref);
    return Buffer.from(keyspace.valueBuffer(ref).subarray(start + skipBytes, end)).toString(
      "latin1",
    );
  }

  /** A client connects, from this machine; null when nothing listens. */
  connect(client: ClientEvents, prng: Prng): VirtualStream | null {
    const edge = this.#edge;
    if (edge === null || this.#stopping) return null;
    const { life } = this;
    const { scheduler } = this.#options;
    const inNode = (run: () => void): void => this.#gate(life, run);
    return edge.connect({ scheduler, inNode, prng }, client, 1024 + this.#connections++);
  }

  /** Comes up from what the disk holds. When that has no room for what a start writes it stays down. */
  start(): void {
    try {
      this.#start();
    } catch (error) {
      this.life++;
      if (!isDiskFault(error)) throw error;
      this.#options.events.diskFailed(this, error as Error);
    }
  }

  #start(): void {
    const life = ++this.life;
    const schedule = this.#lifeScheduler(life);
    this.disk.makeDirectory(DIRECTORY);
    const incarnation = nextIncarnation(this.disk, DIRECTORY);
    const encryption = this.atRest.open();
    const { randomBytes } = this.atRest;
    const snapshots = new TrackedSnapshots(
      FileSystemSnapshotStore.open(this.disk, {
        ...this.snapshotPlace,
        encryption,
        randomBytes,
        schedule: (run: () => void) =>
          schedule.after(this.#options.diskSpeed.stepMs * Math.min(this.disk.slowness, 10), run),
      }),
    );
    const snapshot = snapshots.latest();
    const { log, recovered } = SegmentedLog.open(this.disk, {
      ...this.logPlace,
      encryption,
      randomBytes,
      after: { index: snapshot?.index ?? 0, term: snapshot?.term ?? 0 },
      randomSalt: () => this.#options.prng.nextUint32(),
    });
    const machine = this.#newMachine(life);
    const finish = (): void => {
      this.mirror = new Mirror();
      this.mirror.reset(snapshot?.index ?? 0);
      for (const entry of recovered.entries) this.mirror.write(entry);
      this.#run({ life, log, recovered, snapshots, machine, incarnation });
    };
    if (snapshot === null) {
      finish();
      return;
    }
    restoreSnapshot(snapshots, snapshot, machine, (error) => {
      if (life !== this.life) return;
      if (error !== null) this.#options.events.failed(this, error);
      else finish();
    });
  }

  /** Power off: everything in memory is gone, and of the disk what was not synced may be. */
  kill(): void {
    this.#writer?.kill();
    this.#end();
    this.disk.crash();
  }

  /** The process dies and the machine does not (kill -9). */
  killProcess(): void {
    this.#writer?.end();
    this.#end();
    this.disk.processEnded();
  }

  /** An orderly stop: clients are answered, the log is closed, the process ends. `stopped` is told of the end. */
  stop(stopped: () => void): void {
    if (this.#stopping) return;
    this.#stopping = true;
    const { life } = this;
    const end = (): void => {
      if (life !== this.life) return;
      this.killProcess();
      stopped();
    };
    const { scheduler, prng } = this.#options;
    this.replica!.stop();
    this.atRest.detach();
    // A process has more to close than its log, and what was begun before goes on meanwhile.
    this.#writer!.close(() => scheduler.after(prng.next() * CLOSING_MS_MAX, end));
    // On a full disk the log does not close; nobody waits for what was never acknowledged.
    scheduler.after(STOP_WITHIN_MS, end);
  }

  #end(): void {
    this.life++;
    this.#stopping = false;
    this.#writer = null;
    this.replica = null;
    this.#edge = null;
    this.atRest.detach();
    this.#paused = false;
    this.#heldBack = [];
    this.#options.network.detach(this.member.id);
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    const held = this.#heldBack;
    this.#heldBack = [];
    for (const run of held) run();
  }

  /** The wall clock jumps. */
  jumpClock(byMs: number): void {
    this.#clockOffsetMs += byMs;
  }

  #run(parts: {
    readonly life: number;
    readonly log: SegmentedLog;
    readonly recovered: {
      readonly hardState: Parameters<SegmentedLog["append"]>[0]["hardState"];
      readonly entries: readonly Entry[];
    };
    readonly snapshots: TrackedSnapshots;
    readonly machine: ObservedMachine;
    readonly incarnation: number;
  }): void {
    const { scheduler, genesis, network, prng, events } = this.#options;
    const schedule = this.#lifeScheduler(parts.life);
    const clock = {
      nowMs: () => 1_700_000_000_000 + scheduler.nowMs * this.clockRate + this.#clockOffsetMs,
      monotonicMs: () => scheduler.nowMs * this.clockRate,
    };
    const writer = new VirtualLogWriter({
      log: parts.log,
      disk: this.disk,
      scheduler: schedule,
      prng: prng.fork(),
      speed: this.#options.diskSpeed,
      canary: this.#options.canary,
      observer: {
        logWritten: (entries) => this.#logWritten(entries),
        logReset: (index) => this.mirror.reset(index),
      },
      events: {
        onFailure: (error) => this.#failed(error),
        onSpace: (full) => this.replica?.diskFull(full),
      },
    });
    this.#writer = writer;
    const random = prng.fork();
    const limits = { ...DEFAULT_REPLICA_LIMITS, ...this.#options.limits, applyRecordsPerRound: 64 };
    this.replica = new Replica(
      {
        nodeId: this.member.id,
        genesis,
        incarnation: parts.incarnation,
        limits,
        recovered: {
          ...parts.recovered,
          snapshot: parts.snapshots.latest(),
          machine: parts.machine,
        },
        newMachine: () => this.#newMachine(parts.life),
      },
      {
        clock,
        random: () => random.next(),
        defer: (run) => schedule.after(0.01, run),
        log: writer,
        snapshots: parts.snapshots,
        transport: this.#options.canary.settleEarly
          ? settlingEarly(network.transport(this.member.id), (from, payload) =>
              schedule.after(0, () => this.replica?.onPayload(from, payload, 0)),
            )
          : network.transport(this.member.id),
        featureLevelOf: (peer) =>
          network.transport(this.member.id).connected(peer) ? FEATURE_LEVEL_MAX : null,
        commands: this.#options.table,
        events: {
          roleChanged: (change) => {
            events.trace(
              `${this.member.name} ${change.role} ${change.term} ${change.leader ?? "-"}`,
            );
            if (change.role === "leader") events.becameLeader(this);
          },
          commandThrew: (name, error) =>
            this.#failed(new Error(`command ${name} threw`, { cause: error })),
          keysExpired: () => {},
          snapshotTaken: (meta) => events.trace(`${this.member.name} took snapshot ${meta.index}`),
          snapshotInstalled: (meta) =>
            events.trace(`${this.member.name} installed snapshot ${meta.index}`),
          snapshotFailed: (error) => {
            if (isDiskFault(error)) events.diskFailed(this, error);
            else this.#failed(error);
          },
          diskStalled: (stalled) =>
            events.trace(`${this.member.name} disk ${stalled ? "hangs" : "answers again"}`),
          diskSpace: (full) =>
            events.trace(`${this.member.name} disk ${full ? "full" : "has room"}`),
          failed: (error) => this.#failed(error),
          roundDone: () => this.#edge?.server.flush(),
        },
      },
    );
    const replica = this.replica;
    network.attach(this.member.id, {
      timeMs: () => replica.logicalNowMs(),
      events: {
        onPayload: (from, payload, timeMs) =>
          this.#gate(parts.life, () => replica.onPayload(from, payload, timeMs)),
        onConnected: (peer) => this.#gate(parts.life, () => replica.onConnected(peer)),
        onDisconnected: (peer) => this.#gate(parts.life, () => replica.onDisconnected(peer)),
      },
    });
    if (this.#options.edge !== undefined) {
      const { edge, member } = this.#options;
      this.#edge = new NodeEdge(edge, {
        replica,
        genesis,
        self: member,
        wallClockMs: clock.nowMs,
        monotonicMs: clock.monotonicMs,
        prng: prng.fork(),
        defer: (run) => schedule.after(0, run),
      });
      this.#keepHouse(this.#edge, schedule);
    }
    replica.access.onUsersChanged((change, index) => {
      if (change !== null && parts.life === this.life) events.usersChanged(change, index);
    });
    this.atRest.attach({
      log: writer,
      snapshots: parts.snapshots,
      replica,
      schedule,
      onFailed: (error) => this.#failed(error),
    });
    if (parts.life > 1) events.restarted(this);
    const tick = (): void => {
      replica.tick();
      schedule.after(limits.tickMs / this.clockRate, tick);
    };
    schedule.after(prng.next() * limits.tickMs, tick);
  }

  #keepHouse(edge: NodeEdge, schedule: Pick<Scheduler, "after">): void {
    schedule.after(HOUSEKEEPING_MS, () => {
      edge.server.keepHouse();
      this.#keepHouse(edge, schedule);
    });
  }

  #newMachine(life: number): ObservedMachine {
    const machine = new ObservedMachine({
      commands: this.#options.table,
      hashSeed: 7,
      configuration: initialConfiguration(this.#options.genesis),
      members: this.#options.genesis.members,
      access: this.#options.access,
    });
    machine.onApply = (entry) => {
      if (life !== this.life) return;
      this.#options.events.applied(this, entry.index, {
        term: entry.term,
        sum: crc32(entry.data, entry.kind),
      });
    };
    return machine;
  }

  #logWritten(entries: readonly Entry[]): void {
    const before = this.mirror;
    const marks = entries.map((entry, position): EntryMark => {
      const mark = before.markOf(entry);
      const previous = entries[position - 1];
      return previous === undefined ? mark : { ...mark, previousTerm: previous.term };
    });
    this.#options.events.logWritten(this, entries, marks);
    for (const entry of entries) before.write(entry);
  }

  #lifeScheduler(life: number): Pick<Scheduler, "after"> {
    return {
      after: (delayMs, run) => this.#options.scheduler.after(delayMs, () => this.#gate(life, run)),
    };
  }

  /** Runs now, after the pause, or never when the life it belongs to is over. */
  #gate(life: number, run: () => void): void {
    if (life !== this.life) return;
    if (!this.#paused) {
      this.#options.events.touched?.(this);
      run();
    } else {
      this.#heldBack.push(() => this.#gate(life, run));
    }
  }

  /** A disk that fails ends the node, as in production; anything else is a problem of its own. */
  #failed(error: Error): void {
    if (!isDiskFault(error)) {
      this.#options.events.failed(this, error);
      return;
    }
    this.replica?.stop();
    this.atRest.detach();
    this.#options.events.diskFailed(this, error);
    this.#options.events.ended(this);
  }
}
