/** What the command line can fail with. The message is all a person gets to see: it says what to do. */
export type CliErrorCode =
  /** The arguments do not make sense together. */
  | "badArgument"
  /** A port of the cluster is in use. */
  | "portTaken"
  /** The node or the cluster did not come up. */
  | "startFailed"
  /** The data directory belongs to something else. */
  | "dataDirectory"
  /** A node does not answer, or not with what was asked for. */
  | "unreachable"
  /** A node answered that it does not do it. */
  | "refused"
  /** What was named does not exist. */
  | "notFound"
  /** The person at the terminal broke off. */
  | "interrupted";

export class CliError extends Error {
  readonly code: CliErrorCode;

  constructor(code: CliErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "CliError";
    this.code = code;
  }
}
