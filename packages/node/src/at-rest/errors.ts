/** Why encryption at rest can not go on. The message names file or place and says what to do; nothing was changed. */
export type AtRestErrorCode =
  /** The key-encryption key can not be read, or is none. */
  | "KEY_UNREADABLE"
  /** There is a key-encryption key, and it is not the one the keyring was wrapped with. */
  | "WRONG_KEY"
  /** Vault answered, and the answer was no: token, policy, name. Asking again does not help. */
  | "VAULT_REFUSED"
  /** Vault is sealed, busy, or can not be reached. Asking again may help. */
  | "VAULT_UNAVAILABLE"
  /** Files are encrypted and the keyring that opens them is not there. */
  | "KEYRING_MISSING"
  /** The keyring is not what was written: damaged, or changed by somebody without the key. */
  | "KEYRING_DAMAGED"
  /** The keyring belongs to another node or cluster. */
  | "KEYRING_FOREIGN"
  /** Something is encrypted, and at-rest-encryption is no. */
  | "SWITCHED_OFF"
  /** A rotation is under way, or there is nothing to rotate with. */
  | "NOT_NOW";

export class AtRestError extends Error {
  readonly code: AtRestErrorCode;

  constructor(code: AtRestErrorCode, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options);
    this.name = "AtRestError";
    this.code = code;
  }
}
