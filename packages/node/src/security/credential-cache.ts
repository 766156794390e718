/**
 * Passwords that were found right lately, so that a client that comes again costs microseconds. What is remembered is
 * a digest keyed with a secret of this process: worthless in a memory dump without the secret, and elsewhere with it
 * unless the password's SHA-256 is guessed. Emptied by every change of users (S09).
 */
import { createHmac, randomBytes } from "node:crypto";
import type { UserTable } from "@ferrite/acl";

const SECRET_BYTES = 32;

export class CredentialCache {
  readonly #secret = randomBytes(SECRET_BYTES);
  readonly #entriesMax: number;
  /** Keyed digest to the stored form that fitted, in the order of their last use, oldest first. */
  readonly #entries = new Map<string, string>();
  #table: UserTable | null = null;
  #revision = -1;

  /** `entriesMax`: 0 remembers nothing. */
  constructor(entriesMax: number) {
    this.#entriesMax = entriesMax;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Forgets everything when the users are not those of the last call. To be called before `find` and `remember`. */
  follow(table: UserTable): void {
    if (table === this.#table && table.revision === this.#revision) return;
    this.#table = table;
    this.#revision = table.revision;
    this.#entries.clear();
  }

  clear(): void {
    this.#entries.clear();
  }

  /** The stored form that a user's password has been found to fit, or undefined. */
  find(userId: number, digest: Uint8Array): string | undefined {
    const key = this.key(String(userId), digest);
    const stored = this.#entries.get(key);
    if (stored === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, stored);
    return stored;
  }

  remember(userId: number, digest: Uint8Array, stored: string): void {
    this.#entries.set(this.key(String(userId), digest), stored);
    if (this.#entries.size <= this.#entriesMax) return;
    const oldest = this.#entries.keys().next();
    if (oldest.done !== true) this.#entries.delete(oldest.value);
  }

  /** A name for "this password for that", which says nothing about the password. */
  key(scope: string, digest: Uint8Array): string {
    const hmac = createHmac("sha256", this.#secret).update(digest).update(scope, "latin1");
    return hmac.digest("base64");
  }
}
