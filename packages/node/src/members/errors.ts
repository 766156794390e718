/** What the membership of a snapshot or an entry may be wrong about. */
export type MembersErrorCode =
  /** The membership in a snapshot can not be read. */
  | "BAD_MEMBERS"
  /** The cluster has reached a feature level that this version does not know. */
  | "FEATURE_LEVEL";

export class MembersError extends Error {
  readonly code: MembersErrorCode;

  constructor(code: MembersErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "MembersError";
    this.code = code;
  }
}
