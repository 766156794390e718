/**
 * The words of the protocol: what is stored, what travels, what is agreed.
 * Names are those of the Raft paper (Ongaro, Ousterhout 2014) and of Ongaro's thesis.
 */

/** A voter's identity: a UUID made together with its disk. A name or an address is never an identity. */
export type NodeId = string;

/** A term of office; grows by one with every election. */
export type Term = number;

/** A position in the log; the first entry has index 1, 0 means "before the log". */
export type Index = number;

/** What an entry carries. Numbers, because they are written to disk and wire as one byte. */
export const EntryKind = {
  /** Bytes for the state machine. */
  Normal: 0,
  /** Appended by every new leader to commit what earlier terms left (section 8 of the paper). */
  NoOp: 1,
  /** A new configuration, encoded by `encodeConfiguration`; in force as soon as it is appended. */
  Configuration: 2,
} as const;
export type EntryKind = (typeof EntryKind)[keyof typeof EntryKind];

/** One position of the replicated log. `data` is never copied and must never be changed after it is handed in. */
export interface Entry {
  readonly index: Index;
  readonly term: Term;
  readonly kind: EntryKind;
  readonly data: Uint8Array;
}

/** What must survive a crash besides the log (paper, figure 2, "persistent state"). */
export interface HardState {
  readonly term: Term;
  /** Whom this node voted for in `term`, or null. */
  readonly vote: NodeId | null;
  /** A hint that shortens recovery; the only field that may be lost without harm. */
  readonly commit: Index;
}

/**
 * Who counts. While `votersOutgoing` is not empty the configuration is joint: a decision needs a majority of
 * `voters` and a majority of `votersOutgoing` (thesis, section 4.3).
 */
export interface Configuration {
  readonly voters: readonly NodeId[];
  readonly votersOutgoing: readonly NodeId[];
  readonly learners: readonly NodeId[];
  /** Voters of the outgoing half that become learners when the joint phase is left. */
  readonly learnersNext: readonly NodeId[];
}

/** Names one snapshot: the state after applying `index`, whose entry had `term`. */
export interface SnapshotMeta {
  readonly index: Index;
  readonly term: Term;
  /** The configuration in force at `index`. */
  readonly configuration: Configuration;
  /** Length of the snapshot's bytes as they are sent. */
  readonly sizeBytes: number;
}

interface Envelope {
  readonly from: NodeId;
  readonly to: NodeId;
  /** The sender's term; for a pre-vote request the term it would campaign in. */
  readonly term: Term;
}

export interface VoteRequest extends Envelope {
  readonly kind: "voteRequest" | "preVoteRequest";
  readonly lastIndex: Index;
  readonly lastTerm: Term;
  /** Set after TimeoutNow: the leader itself asked for this election, so stickiness does not apply. */
  readonly transfer: boolean;
}

export interface VoteResponse extends Envelope {
  readonly kind: "voteResponse" | "preVoteResponse";
  readonly granted: boolean;
}

export interface AppendRequest extends Envelope {
  readonly kind: "append";
  readonly previousIndex: Index;
  readonly previousTerm: Term;
  readonly entries: readonly Entry[];
  readonly commit: Index;
}

export interface AppendResponse extends Envelope {
  readonly kind: "appendResponse";
  readonly success: boolean;
  /** On success: the highest index known to match and to be durable at the follower. */
  readonly matchIndex: Index;
  /**
   * Only on refusal: the follower's log was damaged and ends at `matchIndex` on disk, whatever it acknowledged before.
   * The leader lowers what it knows of the follower and sends the rest again.
   */
  readonly lowersMatch?: true;
  /** On refusal: the `previousIndex` that did not fit. */
  readonly rejectedIndex: Index;
  /** On refusal: the largest (index, term) of the follower's log that may still match (fast back-off). */
  readonly hintIndex: Index;
  readonly hintTerm: Term;
}

/** The leader asks for a promise (lease.ts). */
export interface LeaseOffer {
  /** When it asked, in ticks of its own; above 0. */
  readonly tick: number;
  /** For how many ticks of the follower's it wants the promise. */
  readonly promiseTicks: number;
}

export interface Heartbeat extends Envelope {
  readonly kind: "heartbeat";
  /** min(commit, matchIndex of the receiver): never beyond what the receiver is known to hold. */
  readonly commit: Index;
  /** Highest read round the leader wants confirmed; 0 when there is none. */
  readonly readRound: number;
  /** Missing as long as nobody reads by lease. */
  readonly lease?: LeaseOffer;
}

export interface HeartbeatResponse extends Envelope {
  readonly kind: "heartbeatResponse";
  readonly readRound: number;
  /** The tick of the offer that this node promises to keep to; missing when it promises nothing. */
  readonly leaseTick?: number;
}

/**
 * Another node's file, whose bytes the receiver gets from there. Two nodes' files of one position need not have the same
 * bytes, nor those of one node before and after a restart.
 */
export interface SnapshotSource {
  readonly node: NodeId;
  /** Which of its lives: higher at every start. */
  readonly incarnation: number;
}

/**
 * A part of a snapshot. The core fills in everything but `data`, which it leaves empty: the driver reads
 * `lengthBytes` bytes at `offsetBytes` of the snapshot `meta` names and puts them in before it sends. With a `source`
 * the driver sends it without them, and the receiver's driver gets them there before it steps the core.
 */
export interface SnapshotChunk extends Envelope {
  readonly kind: "snapshotChunk";
  readonly meta: SnapshotMeta;
  /** Null or missing: the sender's own file. */
  readonly source?: SnapshotSource | null;
  readonly offsetBytes: number;
  readonly lengthBytes: number;
  readonly done: boolean;
  readonly data: Uint8Array;
}

export interface SnapshotResponse extends Envelope {
  readonly kind: "snapshotResponse";
  /** Which snapshot (meta.index). */
  readonly index: Index;
  /** Where the receiver wants the next chunk; equal to sizeBytes when it has all. */
  readonly nextOffsetBytes: number;
  /** True once the receiver has installed it and its log begins behind `index`. */
  readonly installed: boolean;
}

/** The leader asks the receiver to campaign at once (thesis, section 3.10). */
export interface TimeoutNow extends Envelope {
  readonly kind: "timeoutNow";
}

/** A follower asks the leader for a read index (thesis, section 6.4). */
export interface ReadIndexRequest extends Envelope {
  readonly kind: "readIndexRequest";
  readonly requestId: number;
}

export interface ReadIndexResponse extends Envelope {
  readonly kind: "readIndexResponse";
  readonly requestId: number;
  /** 0 when the leader could not confirm it: the asker must ask again. */
  readonly index: Index;
}

export type Message =
  | VoteRequest
  | VoteResponse
  | AppendRequest
  | AppendResponse
  | Heartbeat
  | HeartbeatResponse
  | SnapshotChunk
  | SnapshotResponse
  | TimeoutNow
  | ReadIndexRequest
  | ReadIndexResponse;

export type Role = "follower" | "preCandidate" | "candidate" | "leader" | "learner";
