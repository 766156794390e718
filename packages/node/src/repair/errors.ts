/** Why a node can not go on with what its disk holds. */
export type RepairErrorCode =
  /** Nobody can say whom this node has voted for: under its id it must not go on. */
  "PAST_UNKNOWN";

export class RepairError extends Error {
  readonly code: RepairErrorCode;

  constructor(code: RepairErrorCode, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options);
    this.name = "RepairError";
    this.code = code;
  }
}
