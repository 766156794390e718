/** Why the trail can not be kept or read. The message names the file or the setting. */
export type AuditErrorCode =
  /** The directory or a file of the trail is a link, belongs to somebody else, or is no file. */
  | "unsafePath"
  /** audit-key-file can not be read or is too short. */
  | "keyFile"
  /** A setting of a sink can not be used. */
  | "badSink"
  /** The receiver of a sink did not take what it was sent. */
  | "delivery"
  /** Files to verify are missing or are no trail. */
  | "notATrail";

export class AuditError extends Error {
  readonly code: AuditErrorCode;

  constructor(code: AuditErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "AuditError";
    this.code = code;
  }
}
