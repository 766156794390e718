/**
 * What the replica sees of the disk. Callbacks, not promises, so that the simulator decides when each one runs.
 */
import type { AtRestKeys } from "./at-rest-keys.ts";
import type { Entry, HardState, Index, SnapshotMeta, Term } from "@ferrite/raft";

/** Everything that one Ready wants durable. */
export interface LogWrite {
  readonly hardState: HardState | null;
  /** Appended in order; when the first index is inside the log, the log is cut from there first. */
  readonly entries: readonly Entry[];
}

/**
 * The log and the hard state on disk. Writes are made durable in the order they are submitted, several at a time
 * (group commit). After `onFailure` was called nothing more becomes durable: the node must stop.
 */
export interface LogWriter {
  /** `onDurable` is called once log and hard state are on disk; never before that of an earlier write. */
  submit(write: LogWrite, onDurable: () => void): void;
  /** Entries up to `index` are in a durable snapshot: segments that hold nothing else may go. */
  compact(index: Index): void;
  /** The log begins anew behind a snapshot that was received; what it held is void. FIFO with `submit`. */
  reset(position: { readonly index: Index; readonly term: Term }, onDurable: () => void): void;
  /** Writes what was submitted, then closes. */
  close(onClosed: () => void): void;
}

/** A log whose files may be encrypted. Once the log has failed both calls do nothing. */
export interface KeyedLogWriter extends LogWriter {
  /**
   * Segments that begin after what was submitted before are encrypted with these. The one being written goes on as it
   * is until it is full or `roll` was called; one that is not encrypted is left with the next write. Throws `limitExceeded` when a key can not be used.
   */
  useKeys(keys: AtRestKeys): void;
  /**
   * Begins a new segment, and so a new data key, as soon as its space is reserved; writes go on meanwhile. It is made
   * with the keys of an earlier `useKeys`. `onRolled` is called when it has begun, and never when the log ends before.
   */
  roll(onRolled: () => void): void;
}

export interface LogWriterEvents {
  /** fdatasync or a write failed for another reason than space. Final. */
  onFailure(error: Error): void;
  /**
   * No room for the next segment (true), room again (false). It comes early: the segment in use has room left for
   * votes and a few writes. Writes that find none wait in order; nothing is lost.
   */
  onSpace(full: boolean): void;
}

export interface RecoveredLog {
  /** Null on a new disk. */
  readonly hardState: HardState | null;
  /** Entries behind the newest snapshot (or from the first there is), oldest first, no gaps. */
  readonly entries: readonly Entry[];
  /** Bytes of an unfinished last batch that were cut off (a torn tail, never acknowledged). */
  readonly tornTailBytes: number;
}

/** Where a snapshot is written, by this node or from the leader's chunks. Calls are carried out in order. */
export interface SnapshotSink {
  /** Bytes are owned by the sink. `onWritten` is called when they are written (not yet durable). */
  write(bytes: Uint8Array, onWritten: (error: Error | null) => void): void;
  /** fsync, rename, directory fsync; then it is the newest snapshot. */
  commit(onDurable: (error: Error | null) => void): void;
  abort(): void;
  readonly writtenBytes: number;
}

/**
 * Snapshots: one file each, named by index, written beside and renamed; a checksum over the whole. `meta.sizeBytes`
 * counts the bytes given to `write`.
 */
export interface SnapshotStore {
  /** The newest whole snapshot, or null. */
  latest(): SnapshotMeta | null;
  /** `meta.sizeBytes` is ignored here: it is known at commit. */
  create(meta: SnapshotMeta): SnapshotSink;
  /** Reads bytes of a committed snapshot, for sending and for restoring. Fewer than asked only at its end. */
  read(
    meta: SnapshotMeta,
    range: { readonly offsetBytes: number; readonly lengthBytes: number },
    onRead: (error: Error | null, bytes: Uint8Array) => void,
  ): void;
  /**
   * Removes all but the newest `keep` snapshots. One that was read since the last `prune` is kept until the next: a
   * follower is probably still being sent its parts.
   */
  prune(keep: number): void;
}
