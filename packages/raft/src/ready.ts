/**
 * What the core wants done, as data. The driver takes one Ready at a time from `RaftCore.ready()` and carries it out.
 *
 * Contract (the order is part of the protocol; a driver that breaks it can lose acknowledged writes):
 *
 *   1. Readys are carried out in the order they were taken. Several may be on their way to the disk at once,
 *      but the disk writes of a later one never overtake those of an earlier one.
 *   2. `messages` may be sent at once, before anything is on disk (a leader's appends run beside its own disk write).
 *   3. `hardState`, `entries`: one durable write (fdatasync). When it is done, and only then:
 *        - send `messagesAfterPersist` (votes and append acknowledgements: they promise durability), then
 *        - call `RaftCore.persisted({ index, term })` with the last entry of this Ready, if it had any, and step
 *          those of `messagesAfterPersist` that are addressed to this node itself.
 *      A Ready with nothing to write still waits for the writes of those taken before it: its acknowledgements may
 *      speak of their entries.
 *   4. `committed` is applied in order, and `RaftCore.applied(index)` follows. It need not wait for 3: what is
 *      committed is durable on a majority.
 *   5. `reads` are served when the state machine has applied at least their index.
 */
import type {
  Entry,
  HardState,
  Index,
  Message,
  NodeId,
  Role,
  SnapshotChunk,
  Term,
} from "./types.ts";

/** A confirmed read: everything acknowledged before the request was made is at or below `index`. */
export interface ReadState {
  readonly requestId: number;
  readonly index: Index;
}

/** A change of office. Several between two Readys are told as the last of them. */
export interface RoleChange {
  readonly role: Role;
  readonly term: Term;
  /** The leader of `term` as far as it is known. */
  readonly leader: NodeId | null;
}

/** The leader needs a snapshot at or above `minimumIndex` for a follower that is behind the log. */
export interface SnapshotWanted {
  readonly to: NodeId;
  readonly minimumIndex: Index;
}

export interface Ready {
  /**
   * Null when term and vote are unchanged since the last Ready. A new commit index alone does not cause a write: it
   * comes with the next entries, and never passes what is durable on this node.
   */
  readonly hardState: HardState | null;
  /**
   * To append. When the first index is not behind the log's last one, the log is cut from there first: a follower
   * overwrites what a deposed leader left.
   */
  readonly entries: readonly Entry[];
  readonly messages: readonly Message[];
  readonly messagesAfterPersist: readonly Message[];
  readonly committed: readonly Entry[];
  readonly reads: readonly ReadState[];
  /** Requests that can not be confirmed any more (leadership lost, no leader): ask again or give up. */
  readonly readsFailed: readonly number[];
  readonly roleChange: RoleChange | null;
  /**
   * Parts of a snapshot from the leader, in order and without gaps per meta.index: write them behind each other; one
   * at offset 0 begins anew. After each durable write call `RaftCore.snapshotChunkStored`. After the last (`done`)
   * restore the state machine from the whole, put the log behind it (`reset`), and call
   * `RaftCore.snapshotInstalled(meta)`. Until then this node takes no entries. If the whole turns out to be damaged,
   * call `snapshotChunkStored(meta, 0)`: it is sent again.
   */
  readonly snapshotChunks: readonly SnapshotChunk[];
  /** Answer each with `RaftCore.snapshotAvailable(to, meta)` when a snapshot is there, or `snapshotUnavailable(to)`. */
  readonly snapshotsWanted: readonly SnapshotWanted[];
}
