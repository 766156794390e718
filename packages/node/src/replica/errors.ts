/** Why a replica stops. Each code has one sentence; the message adds the facts. */
export type ReplicaErrorCode =
  /** Entries were handed to apply out of order: a defect. */
  | "APPLY_ORDER"
  /** An entry can not be read: it was written by a newer version. */
  | "UNKNOWN_ENTRY"
  /** A snapshot's contents can not be read. */
  | "BAD_SNAPSHOT"
  /** The state of this node is not that of the majority: it was changed in memory or on the disk, or by a defect. */
  | "STATE_DIVERGED"
  /** Something happened that never may: the message is the broken invariant's. */
  | "DEFECT";

export class ReplicaError extends Error {
  readonly code: ReplicaErrorCode;

  constructor(code: ReplicaErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "ReplicaError";
    this.code = code;
  }
}
