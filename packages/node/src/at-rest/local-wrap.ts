/**
 * Wrapping with a key that this node was given.
 *
 *   16 salt | 12 nonce | n encrypted secret | 16 tag
 *
 * The key itself encrypts nothing: each wrap has a key of its own, derived from it with a random salt. So one key may
 * wrap for many nodes without anybody counting nonces, and its fingerprint (key-text.ts) shares nothing with it.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";
import { AtRestError } from "./errors.ts";
import { contextBytes, type WrapContext, type WrappedSecret } from "./key-source.ts";
import type { LocalKey } from "./key-text.ts";

const SALT_BYTES = 16;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const CIPHER = "aes-256-gcm";

/** What is shown of a key: its fingerprint, after the name that a person gave it. */
export function keyIdOf(key: LocalKey): string {
  return key.label === null ? key.fingerprint : `${key.label}:${key.fingerprint}`;
}

export function wrapLocally(
  secret: Uint8Array,
  key: LocalKey,
  context: WrapContext,
): WrappedSecret {
  const salt = randomBytes(SALT_BYTES);
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, derive(key, salt), nonce);
  cipher.setAAD(contextBytes(context));
  const parts = [salt, nonce, cipher.update(secret), cipher.final(), cipher.getAuthTag()];
  return { by: "local", keyId: keyIdOf(key), text: Buffer.concat(parts).toString("base64") };
}

/**
 * Opens with whichever of the keys it was wrapped with; the fingerprint says which.
 * @throws AtRestError `WRONG_KEY` when that is none of them, `KEYRING_DAMAGED` when the bytes are not what was written
 */
export function unwrapLocally(
  wrapped: WrappedSecret,
  keys: readonly LocalKey[],
  from: { readonly place: string; readonly context: WrapContext },
): Uint8Array {
  const fingerprint = wrapped.keyId.slice(wrapped.keyId.indexOf(":") + 1);
  const key = keys.find((candidate) => candidate.fingerprint === fingerprint);
  if (wrapped.by !== "local" || key === undefined) {
    const held = keys.map(keyIdOf).join(", ");
    throw new AtRestError(
      "WRONG_KEY",
      `the keyring was wrapped with ${wrapped.by === "local" ? "key" : "Vault's key"} ${wrapped.keyId}, ` +
        `and ${from.place} holds ${held}. Give the node that key (it may stand behind the new one in a key file)`,
    );
  }
  const bytes = Buffer.from(wrapped.text, "base64");
  if (bytes.length > SALT_BYTES + NONCE_BYTES + TAG_BYTES) {
    const nonceEnd = SALT_BYTES + NONCE_BYTES;
    const decipher = createDecipheriv(
      CIPHER,
      derive(key, bytes.subarray(0, SALT_BYTES)),
      bytes.subarray(SALT_BYTES, nonceEnd),
      { authTagLength: TAG_BYTES },
    );
    decipher.setAAD(contextBytes(from.context));
    decipher.setAuthTag(bytes.subarray(bytes.length - TAG_BYTES));
    try {
      const head = decipher.update(bytes.subarray(nonceEnd, bytes.length - TAG_BYTES));
      return Buffer.concat([head, decipher.final()]);
    } catch (error) {
      throw damaged(error);
    }
  }
  throw damaged();
}

function damaged(cause?: unknown): AtRestError {
  return new AtRestError(
    "KEYRING_DAMAGED",
    "the keyring's key does not open with the key that wrapped it: the keyring was changed",
    { cause },
  );
}

function derive(key: LocalKey, salt: Uint8Array): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", key.bytes, salt, "ferrite at rest, wrap 1", 32));
}
