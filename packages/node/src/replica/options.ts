/** What a replica is made of: who it is, its limits, and its ports to clock, disk and network. */
import type {
  Configuration,
  Entry,
  HardState,
  LogPosition,
  NodeId,
  RaftOptions,
  SnapshotMeta,
} from "@ferrite/raft";
import type { LogWriter, SnapshotStore } from "@ferrite/storage";
import type { Genesis } from "../peers/membership.ts";
import type { DiskWatchOptions } from "./disk-watch.ts";
import type { StateVerdict } from "../repair/state-verdict.ts";
import type { Clock } from "./logical-clock.ts";
import type { ProposalLimits } from "./proposals.ts";
import type { StateMachine } from "./state-machine.ts";
import type { Transport } from "./transport.ts";
import type { WriteLookup } from "./write-path.ts";

export interface ReplicaLimits extends ProposalLimits {
  /** Length of one tick; elections and heartbeats are counted in ticks. */
  readonly tickMs: number;
  readonly heartbeatIntervalMs: number;
  readonly electionTimeoutMs: number;
  /** A write that the disk does not finish within this makes a leader give up its office; 0: the election timeout. */
  readonly diskStallTimeoutMs: number;
  /** How often the leader has all members compare their states (repair/state-checks.ts); 0: never. */
  readonly stateCheckIntervalMs: number;
  /** Entry bytes in one message to a follower (at least one entry is sent). */
  readonly appendBytesMax: number;
  /** Messages with entries on their way to one follower, and their bytes. */
  readonly inflightMessagesMax: number;
  readonly inflightBytesMax: number;
  /** Entries a leader holds that are not committed; beyond it writes wait at the nodes that have the clients. */
  readonly uncommittedBytesMax: number;
  /** A snapshot is sent in pieces of this size. */
  readonly snapshotChunkBytes: number;
  /** Log bytes since the last snapshot that start the next one. */
  readonly snapshotLogBytes: number;
  /** Log bytes kept in memory for followers that lag. */
  readonly logCacheBytesMax: number;
  /** Records applied before the event loop gets its turn. */
  readonly applyRecordsPerRound: number;
  /** Reads are refused when no leader was heard for this long (with serveStaleData off). */
  readonly maxStalenessMs: number;
  readonly serveStaleData: boolean;
  /** Promise leaders to elect nobody else, and serve reads by such promises (lease-reads). The same on all nodes. */
  readonly leaseReads: boolean;
  /** A node that can not know that its users are newer than this honours no credentials (acl-max-staleness-ms). */
  readonly aclMaxStalenessMs: number;
}

export const DEFAULT_REPLICA_LIMITS: ReplicaLimits = {
  queueBytesMax: 64 * 1024 * 1024,
  batchBytesMax: 1024 * 1024,
  commandBytesMax: 72 * 1024 * 1024,
  inflightBatchesMax: 4,
  gatherMsMax: 10,
  gatherBytesMax: 256 * 1024,
  timeoutMs: 10_000,
  resendAfterMs: 1000,
  tickMs: 10,
  heartbeatIntervalMs: 50,
  electionTimeoutMs: 500,
  diskStallTimeoutMs: 0,
  stateCheckIntervalMs: 0,
  appendBytesMax: 1024 * 1024,
  inflightMessagesMax: 64,
  inflightBytesMax: 16 * 1024 * 1024,
  uncommittedBytesMax: 256 * 1024 * 1024,
  snapshotChunkBytes: 1024 * 1024,
  snapshotLogBytes: 64 * 1024 * 1024,
  logCacheBytesMax: 64 * 1024 * 1024,
  applyRecordsPerRound: 4096,
  maxStalenessMs: 10_000,
  serveStaleData: true,
  leaseReads: false,
  aclMaxStalenessMs: 10_000,
};

/** Told about what happens; the rim logs and counts it. */
export interface ReplicaEvents {
  roleChanged(change: {
    readonly role: string;
    readonly term: number;
    readonly leader: NodeId | null;
  }): void;
  commandThrew(command: string, error: unknown): void;
  keysExpired(count: number): void;
  snapshotTaken(meta: SnapshotMeta): void;
  snapshotInstalled(meta: SnapshotMeta): void;
  /** A snapshot could not be taken or received; the node goes on without it and tries again. */
  snapshotFailed(error: Error): void;
  diskSpace(full: boolean): void;
  /** Wall and monotonic clock have come apart by so many ms within one tick. */
  clockJumped?(jumpMs: number): void;
  /** The disk does not answer (true), or it does again. */
  diskStalled(stalled: boolean): void;
  /** The members' states were compared (R32). */
  stateJudged?(verdict: StateVerdict): void;
  /** The replica can not go on (an unreadable entry, a failed log): the node must stop. */
  failed(error: Error): void;
  /** A round of applying is over: answers may be flushed to their sockets. */
  roundDone(): void;
}

export interface ReplicaPorts {
  readonly clock: Clock;
  /** In [0, 1). */
  random(): number;
  /** Runs soon, after the I/O that is ready now. */
  defer(run: () => void): void;
  readonly log: LogWriter;
  readonly snapshots: SnapshotStore;
  readonly transport: Transport & { flush(): void };
  /** The highest feature level that a node said it supports; null when there is no link to it. */
  featureLevelOf(peer: NodeId): number | null;
  readonly commands: WriteLookup;
  readonly events: ReplicaEvents;
}

export interface ReplicaOptions {
  readonly nodeId: NodeId;
  readonly genesis: Genesis;
  /** Higher at every start of this data directory (see incarnation in identity.ts). */
  readonly incarnation: number;
  readonly limits: ReplicaLimits;
  /** What the disk held, already restored. */
  readonly recovered: {
    readonly hardState: HardState | null;
    readonly entries: readonly Entry[];
    /** The newest snapshot, or null when there is none yet. */
    readonly snapshot: SnapshotMeta | null;
    /** Where the log ended before it was damaged (repair/); null or missing when it is whole. */
    readonly floor?: LogPosition | null;
    /** The state at the snapshot, or an empty one. */
    readonly machine: StateMachine;
  };
  /** Makes an empty state machine, for a snapshot that is received. */
  newMachine(): StateMachine;
}

/** The configuration a cluster begins with. */
export function initialConfiguration(genesis: Genesis): Configuration {
  return {
    voters: genesis.members.map((member) => member.id),
    votersOutgoing: [],
    learners: [],
    learnersNext: [],
  };
}

/** How many parts of the stall timeout one tick may count for, however long the process was held up. */
const STALL_TICKS_MIN = 4;

/** When the disk counts as one that hangs. */
export function diskWatchOptions(
  limits: ReplicaLimits,
  monotonicMs: () => number,
): DiskWatchOptions {
  const stallTimeoutMs = limits.diskStallTimeoutMs || limits.electionTimeoutMs;
  return { stallTimeoutMs, tickMsMax: stallTimeoutMs / STALL_TICKS_MIN, monotonicMs };
}

export function electionTimeoutTicks(limits: ReplicaLimits): number {
  return Math.max(2, Math.round(limits.electionTimeoutMs / limits.tickMs));
}

/** What the core is made from. Times become ticks; a new disk begins with the configuration of the genesis. */
export function raftOptions(
  options: ReplicaOptions,
  start: { readonly hardState: HardState; readonly seed: number },
): RaftOptions {
  const { limits, recovered } = options;
  return {
    id: options.nodeId,
    seed: start.seed,
    electionTimeoutTicks: electionTimeoutTicks(limits),
    heartbeatIntervalTicks: Math.max(1, Math.round(limits.heartbeatIntervalMs / limits.tickMs)),
    inflightMessagesMax: limits.inflightMessagesMax,
    inflightBytesMax: limits.inflightBytesMax,
    appendBytesMax: limits.appendBytesMax,
    uncommittedBytesMax: limits.uncommittedBytesMax,
    snapshotChunkBytes: limits.snapshotChunkBytes,
    leases: limits.leaseReads,
    restored: {
      hardState: start.hardState,
      snapshot: recovered.snapshot ?? {
        index: 0,
        term: 0,
        configuration: initialConfiguration(options.genesis),
        sizeBytes: 0,
      },
      entries: recovered.entries,
      floor: recovered.floor ?? null,
    },
  };
}

/** Ids of requests begin anywhere below it: it leaves as many above as a process could ever use, all exact numbers. */
export const REQUEST_ID_START_MAX: number = 2 ** 52;
