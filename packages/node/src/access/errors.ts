/** What goes wrong with access control outside of requests. The message names the file, the line and the fix. */
export type AccessErrorCode =
  /** The ACL file can not be read, may not be trusted, or holds a line that is wrong. */
  | "ACL_FILE_REFUSED"
  /** The ACL file can not be written. */
  | "ACL_FILE_NOT_WRITTEN"
  /** The first users could not be brought into the cluster. */
  | "USERS_NOT_SEEDED";

export class AccessError extends Error {
  readonly code: AccessErrorCode;

  constructor(code: AccessErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "AccessError";
    this.code = code;
  }
}
