/** What can go wrong with rules and credentials. */
export type AclErrorCode =
  /** A stored password hash could not be read: the file or state that holds it is damaged or foreign. */
  "MALFORMED_PASSWORD_HASH";

export class AclError extends Error {
  readonly code: AclErrorCode;

  constructor(code: AclErrorCode, message: string) {
    super(message);
    this.name = "AclError";
    this.code = code;
  }
}
