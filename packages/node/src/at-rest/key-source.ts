/**
 * Where key-encryption keys are. A source wraps one small secret (the keyring's key) and unwraps it again; what it wrapped
 * with stays with it. All that is kept of the key is its name.
 */

/** What a wrapped secret is bound to: it does not open as another's. */
export interface WrapContext {
  readonly nodeId: string;
  readonly clusterId: string;
}

export interface WrappedSecret {
  /** local: with a key that this node was given (file or environment). vault: inside Vault. */
  readonly by: "local" | "vault";
  /** Says which key, and nothing about it: a fingerprint, or Vault's name and version. */
  readonly keyId: string;
  /** Base64, or Vault's own text. */
  readonly text: string;
}

export interface KeySource {
  readonly kind: "file" | "environment" | "vault";
  /** For messages: the path, the variable's name, or the address and key in Vault. */
  readonly place: string;
  /** Names the key that is current now; null where only wrapping tells. @throws AtRestError */
  currentKeyId(): Promise<string | null>;
  /** With the key that is current now. @throws AtRestError */
  wrap(secret: Uint8Array, context: WrapContext): Promise<WrappedSecret>;
  /** @throws AtRestError; `WRONG_KEY` when the source does not have the key it was wrapped with. */
  unwrap(wrapped: WrappedSecret, context: WrapContext): Promise<Uint8Array>;
}

/** The associated data of every wrap. No id holds a zero byte. */
export function contextBytes(context: WrapContext): Buffer {
  return Buffer.from(`ferrite at rest keyring 1\0${context.clusterId}\0${context.nodeId}`);
}
