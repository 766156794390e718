/**
 * The password of the default user (requirepass). It is hashed when it is set and the plaintext is dropped. The right
 * password is recognised at once by a digest keyed with a secret of this process; every other one costs the slow hash,
 * one at a time, so that guessing is slow and a flood of it neither fills the thread pool nor delays who knows it.
 */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { DEFAULT_ITERATIONS, hashPassword, verifyPassword } from "@ferrite/acl";
import type { AuthenticationOutcome, CredentialCheck } from "./edge-context.ts";

/** Guesses that may wait for the slow hash; more are turned away. */
const WAITING_GUESSES_MAX = 64;
const SALT_BYTES = 16;
const DEFAULT_USER = "default";

export class DefaultUserCredentials implements CredentialCheck {
  readonly #processSecret = randomBytes(32);
  #digest: Buffer | null = null;
  #stored: Promise<string> | null = null;
  #waitingGuesses = 0;
  #lastGuess: Promise<unknown> = Promise.resolve();

  /** An empty password means none is needed. */
  constructor(password: string) {
    this.setPassword(password);
  }

  /** Replaces the password; clients that are authenticated stay so, as in Redis. */
  setPassword(password: string): void {
    if (password === "") {
      this.#digest = null;
      this.#stored = null;
      return;
    }
    const bytes = Buffer.from(password, "utf8");
    this.#digest = this.#quickDigest(bytes);
    const options = { salt: randomBytes(SALT_BYTES), iterations: DEFAULT_ITERATIONS };
    this.#stored = hashPassword(bytes, options);
    // A failure is answered to whoever guesses next ("failed"); here it must not end the process.
    this.#stored.catch(() => undefined);
  }

  get required(): boolean {
    return this.#stored !== null;
  }

  verify(
    user: string,
    password: Uint8Array,
  ): AuthenticationOutcome | Promise<AuthenticationOutcome> {
    const stored = this.#stored;
    const digest = this.#digest;
    // Without a password the default user lets everybody in with any, as Redis' "nopass".
    if (stored === null || digest === null) return user === DEFAULT_USER ? "accepted" : "refused";
    if (user === DEFAULT_USER && timingSafeEqual(this.#quickDigest(password), digest))
      return "accepted";
    if (this.#waitingGuesses >= WAITING_GUESSES_MAX) return "busy";
    this.#waitingGuesses++;
    // The request's bytes are gone when the hash is due.
    const guess = Buffer.from(password);
    const outcome = this.#lastGuess.then(() => this.#check(user, guess, stored));
    this.#lastGuess = outcome.then(() => {
      this.#waitingGuesses--;
    });
    return outcome;
  }

  async #check(
    user: string,
    guess: Buffer,
    stored: Promise<string>,
  ): Promise<AuthenticationOutcome> {
    try {
      const matches = await verifyPassword(guess, await stored);
      return matches && user === DEFAULT_USER ? "accepted" : "refused";
    } catch {
      return "failed";
    }
  }

  #quickDigest(password: Uint8Array): Buffer {
    return createHmac("sha256", this.#processSecret).update(password).digest();
  }
}
