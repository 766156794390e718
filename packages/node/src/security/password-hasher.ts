/**
 * Hashes for rules: what ACL SETUSER's `>password`, `<password`, `#sha256` and `!sha256` become before they are
 * proposed. The hashing thread takes these before logins.
 */
import { randomBytes } from "node:crypto";
import { formatStoredPassword, parseStoredPassword } from "@ferrite/acl";
import type { Hashing, HashingOrder } from "./hashing/hashing-service.ts";

export type StoredPasswordOutcome =
  | { readonly kind: "stored"; readonly stored: string }
  | { readonly kind: "busy" }
  | { readonly kind: "failed" };

export type FindPasswordOutcome =
  /** The one of the stored forms that fits, or null. */
  | { readonly kind: "found"; readonly stored: string | null }
  | { readonly kind: "busy" }
  | { readonly kind: "failed" };

const SALT_BYTES = 16;

export class PasswordHasher {
  readonly #hashing: Hashing;
  readonly #policyIterations: () => number;

  constructor(hashing: Hashing, policyIterations: () => number) {
    this.#hashing = hashing;
    this.#policyIterations = policyIterations;
  }

  /**
   * The stored form of a password given by its SHA-256 (which is wiped), with a salt of its own. `address` is that of
   * whoever asks (addressGroup).
   */
  async store(digest: Uint8Array, address: string): Promise<StoredPasswordOutcome> {
    const salt = randomBytes(SALT_BYTES);
    const iterations = this.#policyIterations();
    const job = { kind: "derive", digest, salt, iterations } as const;
    const outcome = await this.#hashing.run(job, order(address));
    if (outcome.kind === "derived") {
      const stored = formatStoredPassword({ salt, iterations, hash: outcome.hash });
      return { kind: "stored", stored };
    }
    return outcome.kind === "busy" ? outcome : { kind: "failed" };
  }

  /**
   * Which of some stored forms is of the password with this SHA-256 (which is wiped). Throws AclError
   * MALFORMED_PASSWORD_HASH when one of them is none.
   */
  async find(
    digest: Uint8Array,
    stored: readonly string[],
    address: string,
  ): Promise<FindPasswordOutcome> {
    const candidates = stored.map(parseStoredPassword);
    const job = { kind: "verify", digest, candidates, paddingIterations: 0 } as const;
    const outcome = await this.#hashing.run(job, order(address));
    if (outcome.kind === "verified")
      return { kind: "found", stored: stored[outcome.index] ?? null };
    return outcome.kind === "busy" ? outcome : { kind: "failed" };
  }
}

function order(address: string): HashingOrder {
  return { lane: "change", address };
}
