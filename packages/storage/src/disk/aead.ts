/**
 * AES-256-GCM, the one cipher of everything that is encrypted at rest. A pair of key and nonce must never be used
 * twice: who calls says in its own file why it is not.
 */
import { createCipheriv, createDecipheriv } from "node:crypto";
import type { CipherGCM, DecipherGCM, KeyObject } from "node:crypto";

export const nonceBytes = 12;
export const tagBytes = 16;

const cipherName = "aes-256-gcm";

/** What a message is encrypted with, besides its bytes. */
export interface AeadParameters {
  readonly key: Uint8Array | KeyObject;
  readonly nonce: Uint8Array;
  /** Authenticated and not stored: it must be the same when the message is opened. */
  readonly aad: Uint8Array;
}

export function beginEncryption(parameters: AeadParameters): CipherGCM {
  const cipher = createCipheriv(cipherName, parameters.key, parameters.nonce, {
    authTagLength: tagBytes,
  });
  cipher.setAAD(parameters.aad);
  return cipher;
}

export function beginDecryption(parameters: AeadParameters, tag: Uint8Array): DecipherGCM {
  const decipher = createDecipheriv(cipherName, parameters.key, parameters.nonce, {
    authTagLength: tagBytes,
  });
  decipher.setAAD(parameters.aad);
  decipher.setAuthTag(tag);
  return decipher;
}

/** Whether the tag proves what `decipher` has decrypted. */
export function isAuthentic(decipher: DecipherGCM): boolean {
  try {
    decipher.final();
    return true;
  } catch {
    // `final` throws for one reason: the tag does not fit.
    return false;
  }
}

/** Ciphertext, as long as `plain`, and its tag behind it. */
export function seal(parameters: AeadParameters, plain: Uint8Array): Uint8Array {
  const cipher = beginEncryption(parameters);
  const sealed = new Uint8Array(plain.length + tagBytes);
  sealed.set(cipher.update(plain), 0);
  cipher.final();
  sealed.set(cipher.getAuthTag(), plain.length);
  return sealed;
}

/** What `seal` was given, or null when key, nonce, AAD or a byte is another one. */
export function unseal(parameters: AeadParameters, sealed: Uint8Array): Uint8Array | null {
  if (sealed.length < tagBytes) {
    return null;
  }
  const bodyEnd = sealed.length - tagBytes;
  const decipher = beginDecryption(parameters, sealed.subarray(bodyEnd));
  const plain = decipher.update(sealed.subarray(0, bodyEnd));
  return isAuthentic(decipher)
    ? new Uint8Array(plain.buffer, plain.byteOffset, plain.length)
    : null;
}
