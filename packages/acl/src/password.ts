/**
 * How passwords are kept: a slow hash over the fast one.
 *
 *   pbkdf2-sha256$100000$<salt, hex>$<hash, hex>        hash = PBKDF2(SHA-256(password), salt, iterations)
 *
 * The inner SHA-256 is what Redis' `#<sha256>` rules hold, so that such rules can be taken over without knowing the
 * password. Salts come from the caller: this package draws no random numbers.
 */
import { createHash, pbkdf2, pbkdf2Sync, timingSafeEqual } from "node:crypto";
import { AclError } from "./errors.ts";

const SCHEME = "pbkdf2-sha256";
const HASH_BYTES = 32;
/** What new hashes cost: about 20 ms of one core. */
export const DEFAULT_ITERATIONS = 100_000;
/** Bounds of what is believed of a stored hash: a hostile one must not stop the node. */
const ITERATIONS_MAX = 10_000_000;
const SALT_BYTES_MIN = 8;
const SALT_BYTES_MAX = 64;

export interface HashOptions {
  /** Random, 8 to 64 bytes. */
  readonly salt: Uint8Array;
  readonly iterations: number;
}

/** What a stored form says. */
export interface StoredPassword extends HashOptions {
  /** 32 bytes. */
  readonly hash: Uint8Array;
}

/** SHA-256 of a password: what Redis' `#` rules hold. */
export function fastDigest(password: Uint8Array): Buffer {
  return createHash("sha256").update(password).digest();
}

/** The stored form of a password. Hashing runs in the thread pool. */
export function hashPassword(password: Uint8Array, options: HashOptions): Promise<string> {
  return hashDigest(fastDigest(password), options);
}

/** The stored form of the password with this SHA-256, which need not be known (S15). */
export async function hashDigest(digest: Uint8Array, options: HashOptions): Promise<string> {
  return formatStoredPassword({ ...options, hash: await stretch(digest, options) });
}

/** Like `hashDigest`, for a thread that has nothing else to do. */
export function hashDigestSync(digest: Uint8Array, options: HashOptions): string {
  return formatStoredPassword({ ...options, hash: stretchSync(digest, options) });
}

/** The stored form of a hash that was computed elsewhere (the server has a thread of its own for it). */
export function formatStoredPassword(parts: StoredPassword): string {
  const salt = Buffer.from(parts.salt).toString("hex");
  const hash = Buffer.from(parts.hash).toString("hex");
  return [SCHEME, parts.iterations, salt, hash].join("$");
}

/**
 * Whether `password` is the one that was stored; the time taken does not depend on where they differ. Throws AclError
 * MALFORMED_PASSWORD_HASH when `stored` is not a stored form.
 */
export function verifyPassword(password: Uint8Array, stored: string): Promise<boolean> {
  return verifyDigest(fastDigest(password), stored);
}

/** Like `verifyPassword`, for the password with this SHA-256. */
export async function verifyDigest(digest: Uint8Array, stored: string): Promise<boolean> {
  const { hash, ...options } = parseStoredPassword(stored);
  return timingSafeEqual(await stretch(digest, options), hash);
}

/** Like `verifyDigest`, for a thread that has nothing else to do. */
export function verifyDigestSync(digest: Uint8Array, stored: string): boolean {
  const { hash, ...options } = parseStoredPassword(stored);
  return timingSafeEqual(stretchSync(digest, options), hash);
}

/**
 * Whether a stored form is weaker than what new ones are made with, and should be made anew at the next login. Throws
 * AclError MALFORMED_PASSWORD_HASH when it is none.
 */
export function needsRehash(stored: string, policy: { readonly iterations: number }): boolean {
  return parseStoredPassword(stored).iterations < policy.iterations;
}

/** The parts of a stored form. Throws AclError MALFORMED_PASSWORD_HASH when it is none. */
export function parseStoredPassword(stored: string): StoredPassword {
  const [scheme, iterationsText = "", saltText = "", hashText = "", ...more] = stored.split("$");
  const iterations = Number(iterationsText);
  const salt = Buffer.from(saltText, "hex");
  const hash = Buffer.from(hashText, "hex");
  const complete =
    more.length === 0 && scheme === SCHEME && /^[1-9][0-9]{0,8}$/.test(iterationsText);
  const wholeHex = salt.length * 2 === saltText.length && hash.length * 2 === hashText.length;
  const sizesFit =
    salt.length >= SALT_BYTES_MIN && salt.length <= SALT_BYTES_MAX && hash.length === HASH_BYTES;
  if (!complete || !wholeHex || !sizesFit || iterations > ITERATIONS_MAX) {
    throw new AclError("MALFORMED_PASSWORD_HASH", "a stored password hash is not of a known form");
  }
  return { salt, iterations, hash };
}

function stretchSync(digest: Uint8Array, options: HashOptions): Buffer {
  return pbkdf2Sync(digest, options.salt, options.iterations, HASH_BYTES, "sha256");
}

function stretch(digest: Uint8Array, options: HashOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    pbkdf2(digest, options.salt, options.iterations, HASH_BYTES, "sha256", (error, hash) => {
      if (error === null) resolve(hash);
      else reject(error);
    });
  });
}
