/**
 * A key-encryption key as people and their tools write it down: 32 bytes in base64 or hexadecimal, with a name before it
 * if they like (`2026-11:base64`). What was read is never part of what is said about it.
 */
import { createHmac } from "node:crypto";

/** AES-256. */
const KEY_BYTES = 32;
const LABEL_CHARACTERS_MAX = 64;
const LABEL = /^[A-Za-z0-9._-]+$/;
/** The shortest fingerprint that does not meet another by accident. */
const FINGERPRINT_BYTES = 8;

export interface LocalKey {
  /** What a person called it; null when nobody did. */
  readonly label: string | null;
  /** Says which key it is and nothing about it: 16 hexadecimal digits. */
  readonly fingerprint: string;
  readonly bytes: Uint8Array;
}

export type ParsedKey =
  | { readonly ok: true; readonly key: LocalKey }
  | { readonly ok: false; readonly problem: string };

function refuse(problem: string): ParsedKey {
  return { ok: false, problem };
}

/** Reads one key, with or without a label. */
export function parseKeyText(text: string): ParsedKey {
  const trimmed = text.trim();
  const colon = trimmed.indexOf(":");
  const label = colon === -1 ? null : trimmed.slice(0, colon).trim();
  if (label !== null && (!LABEL.test(label) || label.length > LABEL_CHARACTERS_MAX)) {
    return refuse(
      `the id before the colon must be 1 to ${LABEL_CHARACTERS_MAX} letters, digits, dots, dashes and underscores`,
    );
  }
  const bytes = decode(trimmed.slice(colon + 1).trim());
  if (bytes === null) return refuse(`a key is ${KEY_BYTES} bytes in base64 or hexadecimal`);
  return keyOf(bytes, label);
}

/** Takes 32 bytes as they are. A text of that length is no key: it has too few bits, and was probably meant otherwise. */
export function rawKey(bytes: Uint8Array): ParsedKey {
  if (bytes.length !== KEY_BYTES) return refuse(`a raw key has ${KEY_BYTES} bytes`);
  if (bytes.every((byte) => (byte >= 0x20 && byte < 0x7f) || byte === 0x0a || byte === 0x0d)) {
    return refuse(`it holds a text and not ${KEY_BYTES} random bytes`);
  }
  return keyOf(bytes, null);
}

function keyOf(bytes: Uint8Array, label: string | null): ParsedKey {
  if (new Set(bytes).size < KEY_BYTES / 4) return refuse("the bytes of the key are not random");
  return { ok: true, key: { label, fingerprint: fingerprintOf(bytes), bytes } };
}

function decode(text: string): Buffer | null {
  if (/^[0-9a-fA-F]{64}$/.test(text)) return Buffer.from(text, "hex");
  if (!/^[A-Za-z0-9+/_-]{43}=?$/.test(text)) return null;
  const bytes = Buffer.from(text, "base64");
  return bytes.length === KEY_BYTES ? bytes : null;
}

/** A one-way function of the key, apart from everything else the key is used for. */
function fingerprintOf(bytes: Uint8Array): string {
  const digest = createHmac("sha256", bytes).update("ferrite at rest, name of a key 1").digest();
  return digest.subarray(0, FINGERPRINT_BYTES).toString("hex");
}
