/** Why a node does not start. The message says what to do; nothing on disk was changed. */
export type StartErrorCode =
  /** A file in the data directory is not what this version writes. */
  | "DAMAGED_FILE"
  /** A part of the data directory is gone while the others are there. */
  | "MISSING_FILE"
  /** The data directory belongs to a node of another name. */
  | "WRONG_NAME"
  /** The cluster has removed this disk, or replaced it: it can not come back. */
  | "REMOVED"
  /** The configuration does not fit what the data directory was made with. */
  | "WRONG_CLUSTER";

export class StartError extends Error {
  readonly code: StartErrorCode;

  constructor(code: StartErrorCode, message: string) {
    super(message);
    this.name = "StartError";
    this.code = code;
  }
}
