/**
 * The optional key of a trail. With one the chain is an HMAC: whoever can write the files but does not have the key can
 * not make a chain that verifies, even where no anchor witnesses it. The file's bytes are never used as they are: one
 * key for the chain and one for the names of keys are derived from them, so that neither tells about the other.
 */
import { createHmac, hash } from "node:crypto";
import { constants, type Stats } from "node:fs";
import { open } from "node:fs/promises";
import { AuditError } from "./errors.ts";
import type { HashAlgorithm } from "./record.ts";

export interface ChainKey {
  readonly chain: Buffer;
  readonly keyNames: Buffer;
}

/** 256 bits written in hexadecimal; and what no key is larger than. */
const KEY_BYTES_MIN = 16;
const KEY_BYTES_MAX = 4096;

/**
 * Reads audit-key-file; blanks and line ends around the key do not count.
 * @throws AuditError keyFile
 */
export async function readChainKey(path: string): Promise<ChainKey> {
  let secret: Buffer;
  try {
    const file = await open(path, constants.O_RDONLY);
    try {
      checkKeyFile(await file.stat(), path);
      secret = await file.readFile();
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof AuditError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw new AuditError("keyFile", `audit-key-file ${path} can not be read: ${code}`, {
      cause: error,
    });
  }
  const text = Buffer.from(secret.toString("latin1").trim(), "latin1");
  if (text.length < KEY_BYTES_MIN) {
    throw new AuditError(
      "keyFile",
      `audit-key-file ${path} holds less than ${KEY_BYTES_MIN} bytes`,
    );
  }
  return deriveChainKey(text);
}

function checkKeyFile(stats: Stats, path: string): void {
  if (!stats.isFile() || stats.size > KEY_BYTES_MAX) {
    throw new AuditError(
      "keyFile",
      `audit-key-file ${path} is no file of at most ${KEY_BYTES_MAX} bytes`,
    );
  }
  if ((stats.mode & 0o007) !== 0) {
    throw new AuditError("keyFile", `audit-key-file ${path} is open to every user; chmod 600 it`);
  }
}

export function deriveChainKey(secret: Uint8Array): ChainKey {
  return {
    chain: createHmac("sha256", secret).update("ferrite audit chain 1").digest(),
    keyNames: createHmac("sha256", secret).update("ferrite audit key names 1").digest(),
  };
}

export function algorithmOf(key: ChainKey | null): HashAlgorithm {
  return key === null ? "sha256" : "hmac-sha256";
}

/** The hash of a record's body, 64 hex digits. */
export function hashBody(body: string | Uint8Array, key: ChainKey | null): string {
  if (key === null) return hash("sha256", body, "hex");
  return createHmac("sha256", key.chain).update(body).digest("hex");
}
