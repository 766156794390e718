export type ChaosErrorCode = "badArgument" | "notPossible" | "programFailed" | "interrupted";

/** What a run of chaos can fail with besides what it looks for. */
export class ChaosError extends Error {
  readonly code: ChaosErrorCode;

  constructor(code: ChaosErrorCode, message: string) {
    super(message);
    this.name = "ChaosError";
    this.code = code;
  }
}
