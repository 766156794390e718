/** Why a replica stops. Each code has one sentence; the message adds the facts. */
export type ReplicaErrorCode =
  /** Entries were handed to apply out of order: a defect. */
  | "APPLY_ORDER"
  /** An entry can not be read: it was written by a newer version. */
  | "UNKNOWN_ENTRY"
  /** A snapshot's contents can not be read. */
  | "BAD_SNAPSHOT"
  /** The log could not be made durable; what is on disk is not known any more. */
  | "LOG_FAILED"
  /** A snapshot could not be written or read. */
  | "SNAPSHOT_FAILED";

export class ReplicaError extends Error {
  readonly code: ReplicaErrorCode;

  constructor(code: ReplicaErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "ReplicaError";
    this.code = code;
  }
}
