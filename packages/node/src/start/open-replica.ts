/** Recovers what the disk holds and sets a replica going on it, on the machine's clock, disk and links. */
import { createHash } from "node:crypto";
import type { AtRestKeys, FileSystem, KeyedLogWriter, SnapshotStore } from "@ferrite/storage";
import type { SnapshotMeta } from "@ferrite/raft";
import type { Logger } from "pino";
import type { TrackedSnapshots } from "../at-rest/tracked-snapshots.ts";
import type { CommandTable } from "../commands/table.ts";
import type { NodeConfig } from "../config/node-config.ts";
import { PEER_FRAME_OVERHEAD_BYTES } from "../config/schema.ts";
import type { Genesis, NodeIdentity } from "../peers/membership.ts";
import { openGroupDisk, type DamageFacts, type RepairState } from "../repair/group-disk.ts";
import { distrustState } from "../repair/distrust.ts";
import { repairPlaces } from "../repair/places.ts";
import type { StateVerdict } from "../repair/state-verdict.ts";
import {
  DEFAULT_REPLICA_LIMITS,
  initialConfiguration,
  type ReplicaEvents,
  type ReplicaLimits,
} from "../replica/options.ts";
import { ReplicaError } from "../replica/errors.ts";
import { Replica } from "../replica/replica.ts";
import { restoreSnapshot } from "../replica/snapshot-installer.ts";
import { StateMachine } from "../replica/state-machine.ts";
import type { AccessPorts } from "../replica/write-check.ts";
import { accessPorts } from "./access-ports.ts";
import { FailStop } from "./fail-stop.ts";
import type { ClusterLinks } from "./join-cluster.ts";

export interface OpenReplicaOptions {
  readonly config: NodeConfig;
  readonly identity: NodeIdentity;
  readonly incarnation: number;
  readonly genesis: Genesis;
  readonly fileSystem: FileSystem;
  readonly links: ClusterLinks;
  readonly table: CommandTable;
  /** With these log and snapshots are encrypted; null: they are not. */
  readonly encryption: AtRestKeys | null;
  readonly logger: Logger;
  /** The replica can not go on; the node must stop. Called at most once. */
  onFailed(error: Error): void;
}

export interface RunningReplica {
  readonly replica: Replica;
  /** What keys at rest are changed in. */
  readonly disk: RunningDisk;
  /** Lets time pass and the links speak. */
  start(): void;
  onRoundDone(listener: () => void): void;
  onKeysExpired(listener: (count: number) => void): void;
  isDiskFull(): boolean;
  /** What was damaged on the disk, and what is still missing because of it. */
  damage(): DamageFacts;
  /** Answers when the log's worker has taken everything that was given to it before. */
  pingLog(onAnswer: () => void): void;
  close(): Promise<void>;
}

export interface RunningDisk {
  readonly log: KeyedLogWriter;
  readonly snapshots: TrackedSnapshots;
}

export async function openReplica(options: OpenReplicaOptions): Promise<RunningReplica> {
  const { config, genesis, logger, links } = options;
  const access = accessPorts(options.table);
  const newMachine = (): StateMachine => createMachine(options, access);
  const machine = newMachine();
  const signals = new Signals(options);
  const failStop = new FailStop((error) => signals.failed(error));
  const disk = await openGroupDisk(
    {
      fileSystem: options.fileSystem,
      dataDirectory: config.dataDir,
      places: repairPlaces({ ...config, ...genesis, encryption: options.encryption }),
      mayRepair: config.repairDamagedDisk,
      hasPeers: hasPeers(options),
      logger,
    },
    {
      onFailure: (error) => signals.failed(error),
      onSpace: (full) => signals.replica?.diskFull(full),
    },
  );
  const { snapshots, snapshot, writer, recovered, repair } = disk;
  try {
    if (snapshot !== null) await restored(snapshots, snapshot, machine);
  } catch (error) {
    await new Promise<void>((resolve) => writer.close(resolve));
    throw error;
  }
  if (recovered.tornTailBytes > 0) {
    logger.info({ bytes: recovered.tornTailBytes }, "cut an unfinished last write off the log");
  }
  logger.info(
    { snapshotIndex: snapshot?.index ?? 0, entries: recovered.entries.length },
    "recovered from disk",
  );
  const replica = new Replica(
    {
      nodeId: options.identity.id,
      genesis,
      incarnation: options.incarnation,
      limits: replicaLimits(config),
      recovered: { ...recovered, snapshot, machine, floor: repair.floor },
      newMachine,
    },
    {
      clock: { nowMs: () => Date.now(), monotonicMs: () => performance.now() },
      random: () => Math.random(),
      defer: (run) => void setImmediate(() => failStop.run(run)),
      log: failStop.log(writer),
      snapshots,
      transport: links.transport,
      featureLevelOf: (peer) => links.members.featureLevelOf(peer),
      commands: options.table,
      events: signals,
    },
  );
  signals.replica = replica;
  return new Running(replica, { log: writer, snapshots }, { signals, links, failStop, repair });
}

/** Are there other nodes that have what this one may have lost? */
function hasPeers({ config, genesis, identity }: OpenReplicaOptions): boolean {
  return config.peers.length > 0 || genesis.members.some(({ id }) => id !== identity.id);
}

function createMachine(options: OpenReplicaOptions, access: AccessPorts): StateMachine {
  const seed = createHash("sha256").update(options.genesis.clusterId).digest().readUInt32LE(0);
  return new StateMachine({
    commands: options.table,
    hashSeed: seed,
    configuration: initialConfiguration(options.genesis),
    members: options.genesis.members,
    access,
  });
}

function restored(store: SnapshotStore, meta: SnapshotMeta, machine: StateMachine): Promise<void> {
  return new Promise((resolve, reject) => {
    restoreSnapshot(store, meta, machine, (error) => (error === null ? resolve() : reject(error)));
  });
}

function replicaLimits(config: NodeConfig): ReplicaLimits {
  return {
    ...DEFAULT_REPLICA_LIMITS,
    queueBytesMax: config.proposalQueueBytesMax,
    commandBytesMax: config.peerFrameBytesMax - PEER_FRAME_OVERHEAD_BYTES,
    timeoutMs: config.proposalTimeoutMs,
    heartbeatIntervalMs: config.heartbeatIntervalMs,
    electionTimeoutMs: config.electionTimeoutMs,
    diskStallTimeoutMs: config.diskStallTimeoutMs,
    stateCheckIntervalMs: config.stateCheckIntervalMs,
    snapshotLogBytes: config.snapshotLogBytes,
    logCacheBytesMax: config.logCacheBytesMax,
    maxStalenessMs: config.replicaMaxStalenessMs,
    serveStaleData: config.replicaServeStaleData,
    leaseReads: config.leaseReads,
    aclMaxStalenessMs: config.aclMaxStalenessMs,
  };
}

/** What the replica tells: written to the log, passed on to who listens. */
class Signals implements ReplicaEvents {
  readonly #logger: Logger;
  readonly #onFailed: (error: Error) => void;
  /** Its data directory is marked before the node stops. */
  readonly #onDiverged: (error: ReplicaError) => void;
  replica: Replica | null = null;
  diskIsFull = false;
  roundDone: () => void = () => undefined;
  keysExpired: (count: number) => void = () => undefined;
  #hasFailed = false;

  constructor(options: OpenReplicaOptions) {
    this.#logger = options.logger;
    this.#onFailed = (error) => options.onFailed(error);
    this.#onDiverged = ({ message }) => {
      distrustState(options.fileSystem, options.config.dataDir, message);
    };
  }

  roleChanged(change: {
    readonly role: string;
    readonly term: number;
    readonly leader: string | null;
  }): void {
    this.#logger.info(change, "role changed");
  }

  commandThrew(command: string, error: unknown): void {
    this.#logger.error(
      { command, err: error },
      "a command threw: this is a defect, please report it",
    );
  }

  snapshotTaken(meta: SnapshotMeta): void {
    this.#logger.info({ index: meta.index, bytes: meta.sizeBytes }, "took a snapshot");
  }

  snapshotInstalled(meta: SnapshotMeta): void {
    this.#logger.info({ index: meta.index, bytes: meta.sizeBytes }, "installed a snapshot");
  }

  snapshotFailed(error: Error): void {
    this.#logger.error({ err: error }, "a snapshot failed; it is tried again");
  }

  diskSpace(full: boolean): void {
    this.diskIsFull = full;
    if (full) this.#logger.error({}, "no room on the disk: writes are refused until there is");
    else this.#logger.warn({}, "there is room on the disk again");
  }

  diskStalled(stalled: boolean): void {
    const disk = this.replica?.disk;
    if (stalled)
      this.#logger.error(disk, "the disk does not answer: this node does not lead until it does");
    else this.#logger.warn(disk, "the disk answers again");
  }

  clockJumped(jumpMs: number): void {
    const text =
      "the wall clock jumped, or the machine was suspended: no read is served by a lease from before";
    this.#logger.warn({ jumpMs: Math.round(jumpMs) }, text);
  }

  stateJudged({ outcome, index, members }: StateVerdict): void {
    const facts = { outcome, index, members };
    if (outcome === "equal") this.#logger.info({ index }, "the members' states are equal");
    else this.#logger.error(facts, "the members' states could not be shown to be equal");
  }

  failed(error: Error): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    if (error instanceof ReplicaError && error.code === "STATE_DIVERGED") this.#onDiverged(error);
    this.#onFailed(error);
  }
}

class Running implements RunningReplica {
  readonly replica: Replica;
  readonly disk: RunningDisk;
  readonly #signals: Signals;
  readonly #links: ClusterLinks;
  readonly #failStop: FailStop;
  readonly #repair: RepairState;
  #ticker: NodeJS.Timeout | null = null;

  constructor(
    replica: Replica,
    disk: RunningDisk,
    around: {
      readonly signals: Signals;
      readonly links: ClusterLinks;
      readonly failStop: FailStop;
      readonly repair: RepairState;
    },
  ) {
    this.replica = replica;
    this.disk = disk;
    this.#signals = around.signals;
    this.#links = around.links;
    this.#failStop = around.failStop;
    this.#repair = around.repair;
  }

  start(): void {
    const failStop = this.#failStop;
    const tick = (): void => {
      this.replica.tick();
      this.#repair.look(this.replica.core.floor());
    };
    this.#links.activate(failStop.events(this.replica), () => this.replica.logicalNowMs());
    this.#ticker = setInterval(() => failStop.run(tick), DEFAULT_REPLICA_LIMITS.tickMs);
  }

  onRoundDone(listener: () => void): void {
    this.#signals.roundDone = listener;
  }

  onKeysExpired(listener: (count: number) => void): void {
    this.#signals.keysExpired = listener;
  }

  isDiskFull(): boolean {
    return this.#signals.diskIsFull;
  }

  damage(): DamageFacts {
    return this.#repair.facts;
  }

  pingLog(onAnswer: () => void): void {
    this.disk.log.submit({ hardState: null, entries: [] }, onAnswer);
  }

  close(): Promise<void> {
    if (this.#ticker !== null) clearInterval(this.#ticker);
    this.replica.stop();
    return new Promise((resolve) => this.disk.log.close(resolve));
  }
}
