/** What can go wrong with rules and credentials. */
export type AclErrorCode =
  /** A stored password hash could not be read: the file or state that holds it is damaged or foreign. */
  | "MALFORMED_PASSWORD_HASH"
  /** A rule is refused; the message is the reason as Redis words it, without the rule. */
  | "INVALID_RULE"
  /** Stored users could not be read: they are damaged, foreign, or of a version that knows other commands. */
  | "MALFORMED_USERS";

export class AclError extends Error {
  readonly code: AclErrorCode;

  constructor(code: AclErrorCode, message: string) {
    super(message);
    this.name = "AclError";
    this.code = code;
  }
}
