/** The door of the core: what a driver may call. `RaftCore` (core.ts) implements it. */
import type { LogPosition } from "./damage-floor.ts";
import type { Ready } from "./ready.ts";
import type {
  Configuration,
  Entry,
  EntryKind,
  HardState,
  Index,
  Message,
  NodeId,
  Role,
  SnapshotMeta,
  SnapshotSource,
  Term,
} from "./types.ts";

export interface RaftOptions {
  readonly id: NodeId;
  /** Decides the randomised timeouts; two cores with the same seed and input behave alike. */
  readonly seed: number;
  /** Follower: ticks without a leader before it campaigns; drawn from [electionTimeoutTicks, 2 * electionTimeoutTicks). */
  readonly electionTimeoutTicks: number;
  readonly heartbeatIntervalTicks: number;
  /** Window per follower: appends on their way, in messages and in bytes of entry data. */
  readonly inflightMessagesMax: number;
  readonly inflightBytesMax: number;
  /** Entry bytes in one append (at least one entry is always sent). */
  readonly appendBytesMax: number;
  /** Uncommitted entry bytes a leader holds before it refuses proposals ("overloaded"). */
  readonly uncommittedBytesMax: number;
  readonly snapshotChunkBytes: number;
  /**
   * Leases (lease.ts): as a leader asks for promises when somebody reads by lease, as a follower makes them, and after a
   * start with a used disk is quiet for an election timeout, as it may have made one before. Missing means false.
   */
  readonly leases?: boolean;
  /** What the disk held. For an empty disk: the configuration of the bootstrap as snapshot at index 0, term 0. */
  readonly restored: {
    readonly hardState: HardState;
    /** The newest snapshot, or {index: 0, term: 0, configuration of the bootstrap}. */
    readonly snapshot: SnapshotMeta;
    /** Log entries behind the snapshot, without gaps, oldest first. */
    readonly entries: readonly Entry[];
    /**
     * Where the log once ended, when what lies between `entries` and there can not be read any more; null or missing
     * for a whole disk. The driver must know it for certain or too high, never too low, must have it on disk before the
     * core is made, and must hand it in at every start until `floor()` was null once. Term and vote in `hardState`
     * must be certain as well. Until the log is durable that far again this node helps others to lead, never leads.
     */
    readonly floor?: LogPosition | null;
  };
}

export type ProposeResult =
  | { readonly accepted: true; readonly index: Index; readonly term: Term }
  | {
      readonly accepted: false;
      readonly reason: "notLeader" | "transferring" | "overloaded" | "configurationPending";
      readonly leader: NodeId | null;
    };

export interface PeerProgress {
  readonly matchIndex: Index;
  readonly nextIndex: Index;
  readonly state: "probe" | "replicate" | "snapshot";
  /** Heard of within the last election timeout. */
  readonly active: boolean;
  readonly inflightMessages: number;
  readonly inflightBytes: number;
  readonly learner: boolean;
}

export interface RaftStatus {
  readonly id: NodeId;
  readonly role: Role;
  readonly term: Term;
  readonly vote: NodeId | null;
  readonly leader: NodeId | null;
  readonly commitIndex: Index;
  readonly appliedIndex: Index;
  readonly firstIndex: Index;
  readonly lastIndex: Index;
  readonly durableIndex: Index;
  readonly configuration: Configuration;
  /** Empty unless this node leads. */
  readonly progress: ReadonlyMap<NodeId, PeerProgress>;
  readonly transferTarget: NodeId | null;
  /** See `RaftCoreApi.floor`. */
  readonly floor: LogPosition | null;
}

export interface RaftCoreApi {
  /** One unit of time has passed. The driver decides how long a tick is (10 ms in production). */
  tick(): void;
  /** A message from a peer, or one of `messagesAfterPersist` that is addressed to this node itself. */
  step(message: Message): void;
  /** Leader only: append bytes. The data is owned by the core from now on. */
  propose(data: Uint8Array, kind?: EntryKind): ProposeResult;
  /** Ask for a read index under an id of the caller's; answered in `Ready.reads` or `Ready.readsFailed`. */
  readIndex(requestId: number): void;
  /** Somebody would read by lease: the leader asks for promises from now on, for a while (lease.ts). */
  wantLease(): void;
  /**
   * For how many ticks from the last one no other node can lead and commit; 0 without a lease. It was asked for
   * `leaseLengthTicks(electionTimeoutTicks)` less this many ticks ago. Ticks are no time: a driver that stood still, or
   * whose clock jumped, has to look at its clocks before it believes this.
   */
  leaseTicksLeft(): number;
  /** Tell followers a commit index they have not been told yet (all, or one), without waiting for the next append. */
  pushCommit(to?: NodeId): void;
  /**
   * The same for followers that have not been told since the last call what was committed then: called at every tick, it
   * costs nothing as long as appends flow.
   */
  pushOverdueCommit(): void;
  /** Leader only: hand over to `target`, or to the most caught-up voter. False when there is nobody to take over. */
  transferLeadership(target?: NodeId): boolean;
  /**
   * Leader only: takes proposals again instead of handing over. False when it was not about to. Who has been told to
   * campaign may still do so.
   */
  cancelTransfer(): boolean;
  /**
   * Who leads rather, from now on; those not named have `defaultPriority`. Higher campaigns earlier, and a leader hands over
   * to a voter of a higher one that has caught up; 0 campaigns only when nobody else does. All nodes should know the same.
   */
  setPriorities(priorities: ReadonlyMap<NodeId, number>): void;
  /** Give up leadership at once (a sick disk, lost quorum). A follower ignores it. */
  stepDown(): void;
  /** The link to `peer` broke: a leader probes it again; a follower whose leader it was may campaign early. */
  peerUnreachable(peer: NodeId): void;
  hasReady(): boolean;
  ready(): Ready;
  /** The log is durable up to `index`, whose entry has `term`. */
  persisted(position: { readonly index: Index; readonly term: Term }): void;
  /** The state machine has applied up to `index`. */
  applied(index: Index): void;
  /**
   * The entry at `index` is committed, and this node proposed it after its start. A leader of the floor's term appended it
   * behind all that this node had acknowledged: a floor that was taken too high comes down to it.
   */
  ownEntryCommitted(index: Index): void;
  /** Forget entries up to `index` in memory (a follower that still needs them gets a snapshot). At most `applied`. */
  compact(index: Index): void;
  /** `source`: whose file it is, when it is not this node's own. */
  snapshotAvailable(to: NodeId, meta: SnapshotMeta, source?: SnapshotSource | null): void;
  snapshotUnavailable(to: NodeId): void;
  snapshotChunkStored(meta: SnapshotMeta, nextOffsetBytes: number): void;
  snapshotInstalled(meta: SnapshotMeta): void;
  /** The configuration in force at `index` (not before the log's snapshot): what a snapshot of that position names. */
  configurationAt(index: Index): Configuration;
  /** Bytes of entry data the core keeps in memory. */
  logBytes(): number;
  /** Where the damaged log once ended, until the durable log is that far again; null for a whole log. */
  floor(): LogPosition | null;
  status(): RaftStatus;
  role(): Role;
  leader(): NodeId | null;
  term(): Term;
  commitIndex(): Index;
  lastIndex(): Index;
}
