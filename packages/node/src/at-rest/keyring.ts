/**
 * The keys of one node, and how they stand in `at-rest.json`:
 *
 *   { "format": 1, "nodeId", "clusterId",
 *     "wrapping": { "by", "keyId", "text" },      the keyring's key, wrapped by the key-encryption key (key-source.ts)
 *     "nonce": 12 bytes, "sealed": ... }          all else, AES-256-GCM under the keyring's key
 *
 *   sealed: { "revision", "acceptsPlainFiles", "lastKeyId", "keys": [{ "id", "bytes" }, ...] }   newest key first
 *
 * One tag holds the whole: everything outside `sealed` is its associated data. Who does not have the key-encryption key
 * can neither read a node key, nor switch `acceptsPlainFiles` on again, nor put this file into another node's directory.
 * An older copy of the whole file is whole too: it opens with keys that were since taken away, and files that were since
 * made do not open with it.
 */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { atRestKeyBytes, type AtRestKey } from "@ferrite/storage";
import { z } from "zod";
import { AtRestError } from "./errors.ts";
import type { WrapContext, WrappedSecret } from "./key-source.ts";

/** What the node works with. */
export interface Keyring {
  readonly nodeId: string;
  readonly clusterId: string;
  /** Counts changes: for people who compare copies. */
  readonly revision: number;
  readonly acceptsPlainFiles: boolean;
  /** Ids are never used again, also not that of a key that is gone. */
  readonly lastKeyId: number;
  /** Newest first: that one is current. */
  readonly keys: readonly [AtRestKey, ...AtRestKey[]];
}

const CIPHER = "aes-256-gcm";
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** Node keys that files are still encrypted with; each rotation ends by dropping the older ones. */
export const NODE_KEYS_MAX = 16;

/** The file, of which nothing is proven yet. */
export interface KeyringFile extends WrapContext {
  readonly format: 1;
  readonly wrapping: WrappedSecret;
  readonly nonce: string;
  readonly sealed: string;
}

const base64 = z.string().regex(/^[A-Za-z0-9+/]*={0,2}$/);

const fileSchema: z.ZodType<KeyringFile> = z.strictObject({
  format: z.literal(1),
  nodeId: z.string().min(1),
  clusterId: z.string().min(1),
  wrapping: z.strictObject({
    by: z.enum(["local", "vault"]),
    keyId: z.string().min(1),
    text: z.string().min(1),
  }),
  nonce: base64,
  sealed: base64,
});

const contentsSchema = z.strictObject({
  revision: z.int().min(1),
  acceptsPlainFiles: z.boolean(),
  lastKeyId: z.int().min(1),
  keys: z
    .array(z.strictObject({ id: z.int().min(1), bytes: base64 }))
    .min(1)
    .max(NODE_KEYS_MAX),
});

function newKeyBytes(): Uint8Array {
  return Uint8Array.from(randomBytes(atRestKeyBytes));
}

/** A first keyring, with one key. */
export function newKeyring(context: WrapContext, acceptsPlainFiles: boolean): Keyring {
  const first = { id: 1, bytes: newKeyBytes() };
  return { ...context, revision: 1, acceptsPlainFiles, lastKeyId: 1, keys: [first] };
}

/** A key of the keyring itself. */
export function newKeyringKey(): Buffer {
  return randomBytes(atRestKeyBytes);
}

/** The file's text, readable for its owner alone. */
export function sealKeyring(
  keyring: Keyring,
  keyringKey: Uint8Array,
  wrapping: WrappedSecret,
): Buffer {
  const { nodeId, clusterId, keys, ...rest } = keyring;
  const contents = Buffer.from(
    JSON.stringify({
      ...rest,
      keys: keys.map(({ id, bytes }) => ({ id, bytes: Buffer.from(bytes).toString("base64") })),
    }),
  );
  const nonce = randomBytes(NONCE_BYTES);
  const outside = { format: 1 as const, nodeId, clusterId, wrapping };
  const cipher = createCipheriv(CIPHER, keyringKey, nonce);
  cipher.setAAD(associatedData(outside));
  const sealed = Buffer.concat([cipher.update(contents), cipher.final(), cipher.getAuthTag()]);
  contents.fill(0);
  const file: KeyringFile = {
    ...outside,
    nonce: nonce.toString("base64"),
    sealed: sealed.toString("base64"),
  };
  return Buffer.from(`${JSON.stringify(file, null, 2)}\n`);
}

/** The outside of a keyring, of which nothing is proven yet. @throws AtRestError `KEYRING_DAMAGED` */
export function parseKeyringFile(text: string, path: string): KeyringFile {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw damaged(path, "it is not JSON");
  }
  const format = (value as { readonly format?: unknown } | null)?.format;
  if (typeof format === "number" && format > 1) {
    throw damaged(path, `it has format ${format}, which a newer version wrote`);
  }
  const checked = fileSchema.safeParse(value);
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  throw damaged(path, `${issue?.path.join(".") || "its contents"}: ${issue?.message ?? "wrong"}`);
}

/** @throws AtRestError `KEYRING_DAMAGED` when a byte of the file is not as it was written */
export function openKeyring(file: KeyringFile, keyringKey: Uint8Array, path: string): Keyring {
  const sealed = Buffer.from(file.sealed, "base64");
  const nonce = Buffer.from(file.nonce, "base64");
  const contents =
    keyringKey.length === atRestKeyBytes &&
    nonce.length === NONCE_BYTES &&
    sealed.length >= TAG_BYTES
      ? open(file, sealed, { key: keyringKey, nonce })
      : null;
  if (contents === null) throw damaged(path, "it was changed, or put together from two files");
  const checked = contentsSchema.safeParse(JSON.parse(contents.toString("utf8")));
  contents.fill(0);
  if (!checked.success) throw damaged(path, "what it holds is not what this version writes");
  const { keys, ...rest } = checked.data;
  const [first, ...others] = keys.map(
    // Memory of its own: what goes to the log's thread takes all of the memory it lies in with it.
    ({ id, bytes }): AtRestKey => ({ id, bytes: Uint8Array.from(Buffer.from(bytes, "base64")) }),
  );
  if (first === undefined) throw damaged(path, "it holds no key");
  const { nodeId, clusterId } = file;
  return { nodeId, clusterId, ...rest, keys: [first, ...others] };
}

function open(
  file: KeyringFile,
  sealed: Buffer,
  under: { readonly key: Uint8Array; readonly nonce: Uint8Array },
): Buffer | null {
  const { format, nodeId, clusterId, wrapping } = file;
  const decipher = createDecipheriv(CIPHER, under.key, under.nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(associatedData({ format, nodeId, clusterId, wrapping }));
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
  try {
    const head = decipher.update(sealed.subarray(0, sealed.length - TAG_BYTES));
    return Buffer.concat([head, decipher.final()]);
  } catch {
    // The tag does not fit: the one thing that can be said about such a file.
    return null;
  }
}

function associatedData(outside: Omit<KeyringFile, "nonce" | "sealed">): Buffer {
  const { format, nodeId, clusterId, wrapping } = outside;
  const words = [format, nodeId, clusterId, wrapping.by, wrapping.keyId, wrapping.text];
  return Buffer.from(JSON.stringify(["ferrite at rest keyring", ...words]));
}

function damaged(path: string, why: string): AtRestError {
  return new AtRestError(
    "KEYRING_DAMAGED",
    `${path} can not be used: ${why}. Nothing was changed. Put the file back from a copy of this data directory; ` +
      "without it what is encrypted can not be read by anybody",
  );
}

/** With a new key in front. @throws AtRestError `NOT_NOW` when older keys have to go first */
export function withNewKey(keyring: Keyring): Keyring {
  if (keyring.keys.length >= NODE_KEYS_MAX) {
    throw new AtRestError(
      "NOT_NOW",
      `there are ${keyring.keys.length} node keys already; files have to be rewritten first (FERRITE.ATREST STATUS)`,
    );
  }
  const id = keyring.lastKeyId + 1;
  const key = { id, bytes: newKeyBytes() };
  return {
    ...keyring,
    revision: keyring.revision + 1,
    lastKeyId: id,
    keys: [key, ...keyring.keys],
  };
}

/** Once everything is encrypted with the current key: older keys are gone, and plain files are not read any more. */
export function settled(keyring: Keyring): Keyring {
  const [current] = keyring.keys;
  return {
    ...keyring,
    revision: keyring.revision + 1,
    acceptsPlainFiles: false,
    keys: [current],
  };
}
