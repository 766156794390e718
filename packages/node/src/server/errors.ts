/** What can go wrong with the RESP server as a whole. Errors of single clients are replies, not exceptions. */
export type ServerErrorCode =
  /** Another program listens there, or the address can not be used. */
  | "LISTEN_FAILED"
  /** start() on a server that was started already. */
  | "ALREADY_STARTED";

export class ServerError extends Error {
  readonly code: ServerErrorCode;

  constructor(code: ServerErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "ServerError";
    this.code = code;
  }
}
