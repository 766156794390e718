/** What can go wrong in the keyspace, each with a stable code. */
export type KeyspaceErrorCode =
  /** A snapshot's bytes are not what a snapshot may contain: damaged, cut off or hostile. */
  | "RESTORE_MALFORMED"
  /** `restore` was called on a keyspace that holds keys or is being snapshotted. */
  | "RESTORE_NOT_EMPTY"
  /** A restore that failed or ended was given more bytes. */
  | "RESTORE_CLOSED"
  /** `beginSnapshot` while another snapshot is being taken. */
  | "SNAPSHOT_RUNNING"
  /** `step` after `cancel`, or after the keyspace went away under the snapshot. */
  | "SNAPSHOT_CANCELLED"
  /** A key or value is longer than `KEY_BYTES_MAX` or `VALUE_BYTES_MAX`. */
  | "TOO_LONG"
  /** An expiry that is not a positive finite number of ms. */
  | "BAD_EXPIRY"
  /** The arena has handed out every address it has (about 32 GiB of entries). */
  | "ARENA_FULL"
  /** A broken invariant: a bug or damaged memory. The node must stop. */
  | "INVARIANT";

/** An error of the keyspace. `code` is stable, the message is for people and holds no keys or values. */
export class KeyspaceError extends Error {
  override readonly name: string = "KeyspaceError";
  readonly code: KeyspaceErrorCode;

  constructor(code: KeyspaceErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** Stops the node when `condition` does not hold: going on would spread damage to agreed state. */
export function assertInvariant(condition: boolean, message: string): asserts condition {
  if (!condition) {
    throw new KeyspaceError("INVARIANT", `keyspace invariant broken: ${message}`);
  }
}
