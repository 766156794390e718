/**
 * Checks a name and a password against the users of the cluster. The one way in: AUTH, HELLO and later HTTP come here.
 *
 *   nopass -------------------------------------------------> accepted at once
 *   equal check on its way ---------------------------------> same outcome
 *   throttle: refuse, or wait for a slot
 *   found right lately -------------------------------------> accepted at once
 *   hashing thread: the user's passwords, or nothing at equal cost
 *   users changed meanwhile: look again ---------------------> accepted, refused, or check against the new ones
 *
 * Equal time and equal text for an unknown user, a disabled one, one without passwords and a wrong password (S14, F14,
 * D5): each costs the same number of iterations, in one job of the hashing thread (equal-work.ts).
 */
import { hash, randomBytes } from "node:crypto";
import { formatStoredPassword } from "@ferrite/acl";
import type { User, UserTable } from "@ferrite/acl";
import type { ServerLogger } from "../server/logger.ts";
import type { AuthenticationResult, RefusalReason } from "./authentication-result.ts";
import type { AuthThrottle, ThrottleTicket } from "./auth-throttle.ts";
import { addressGroup, isLocalOrigin, UNIX_SOCKET_ADDRESS } from "./client-origin.ts";
import type { ClientOrigin } from "./client-origin.ts";
import { CredentialCache } from "./credential-cache.ts";
import { EqualWork } from "./equal-work.ts";
import type { Hashing, HashingOrder } from "./hashing/hashing-service.ts";
import { isOpenTo } from "./protected-mode.ts";

export interface LoginAttempt {
  /** Byte string (latin1), as in the user table. */
  readonly name: string;
  /** Used up before `authenticate` returns; not kept. */
  readonly password: Uint8Array;
  readonly origin: ClientOrigin;
  /** Of the client, without port; null for a Unix socket. */
  readonly address: string | null;
}

/** A stored password to be replaced by a more expensive one: ACL SETUSER name !old #new, in our stored forms. */
export interface RehashProposal {
  readonly name: string;
  readonly userId: number;
  readonly oldStored: string;
  readonly newStored: string;
}

export interface AuthenticatorOptions {
  readonly users: () => UserTable;
  /** Null, or why no credential counts now. */
  readonly credentialsRefusal: () => string | null;
  /** protected-mode */
  readonly isProtected: () => boolean;
  /** password-hash-iterations */
  readonly policyIterations: () => number;
  /** The cluster's clock, Unix ms: when users expire. */
  readonly clusterNowMs: () => number;
  readonly hashing: Hashing;
  readonly throttle: AuthThrottle;
  /** ms from any origin, never going back. */
  readonly monotonicNowMs: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  readonly onRehash: (proposal: RehashProposal) => void;
  readonly logger: ServerLogger;
  /** Passwords remembered as right; default 10,000. */
  readonly cacheEntriesMax?: number;
}

/** Since start, for INFO and metrics. */
export interface AuthenticationCounters {
  accepted: number;
  /** auth_failures_total */
  refused: number;
  /** auth_throttled_total: attempts that were delayed or refused because of earlier failures. */
  throttled: number;
  busy: number;
  failed: number;
  /** Accepted without hashing. */
  fromCache: number;
  rehashed: number;
}

/** One check, shared by all that ask the same at the same time. */
interface Check {
  readonly attempt: { readonly name: string; readonly origin: ClientOrigin };
  readonly digest: Uint8Array;
  readonly order: HashingOrder;
  readonly ticket: ThrottleTicket | null;
}

const CACHE_ENTRIES_MAX_DEFAULT = 10_000;
/** A password that fitted a form which was replaced meanwhile (by a re-hash on another node) is checked once more. */
const CHECKS_PER_ATTEMPT_MAX = 3;
const SALT_BYTES = 16;
/** Before "busy" and "try again" are said: a connection can ask for no more than a few of these a second. */
const TURNED_AWAY_PAUSE_MS = 250;

export class Authenticator {
  readonly counters: AuthenticationCounters = {
    accepted: 0,
    refused: 0,
    throttled: 0,
    busy: 0,
    failed: 0,
    fromCache: 0,
    rehashed: 0,
  };
  readonly #options: AuthenticatorOptions;
  readonly #cache: CredentialCache;
  readonly #equalWork = new EqualWork();
  readonly #inFlight = new Map<string, Promise<AuthenticationResult>>();
  /** Stored forms whose better ones are on their way. */
  readonly #rehashing = new Set<string>();

  constructor(options: AuthenticatorOptions) {
    this.#options = options;
    this.#cache = new CredentialCache(options.cacheEntriesMax ?? CACHE_ENTRIES_MAX_DEFAULT);
  }

  /**
   * Checks one attempt. At once when the answer is known, else later; the promise is never rejected. What the client
   * did meanwhile (left, was closed) is the caller's concern.
   */
  authenticate(attempt: LoginAttempt): AuthenticationResult | Promise<AuthenticationResult> {
    const result = this.#begin(attempt);
    if (!(result instanceof Promise)) this.#count(result);
    return result;
  }

  /** To be called when the policy changed: the next login of each client then finds out about its hash. */
  forgetVerified(): void {
    this.#cache.clear();
  }

  /** Checks that are on their way, those that wait for a slot included. */
  get checksInFlight(): number {
    return this.#inFlight.size;
  }

  /** Nothing was checked. Answered late, so that whoever tries again at once does not keep the event loop at it (S25). */
  async #turnedAway(result: AuthenticationResult): Promise<AuthenticationResult> {
    await this.#options.sleep(TURNED_AWAY_PAUSE_MS);
    return this.#counted(result);
  }

  #begin(attempt: LoginAttempt): AuthenticationResult | Promise<AuthenticationResult> {
    const errorText = this.#options.credentialsRefusal();
    if (errorText !== null) return { kind: "unavailable", errorText };
    const open = this.#openUser(attempt);
    if (open !== null) return { kind: "accepted", user: open };

    const digest = hash("sha256", attempt.password, "buffer");
    const isLocal = isLocalOrigin(attempt.origin);
    const address = loginAddress(attempt);
    // Only what comes from one address is shared, so that each address pays for its own failures.
    const key = this.#cache.key(`${address} ${attempt.name}`, digest);
    const same = this.#inFlight.get(key);
    if (same !== undefined) {
      digest.fill(0);
      return same.then((result) => this.#counted(result));
    }
    const now = this.#options.monotonicNowMs();
    const admission = isLocal ? null : this.#options.throttle.admit(attempt.name, address, now);
    if (admission?.kind === "refused") {
      digest.fill(0);
      return this.#turnedAway({ kind: "throttled", retryAfterMs: admission.retryAfterMs });
    }
    const waitMs = admission?.waitMs ?? 0;
    const check: Check = {
      attempt: { name: attempt.name, origin: attempt.origin },
      digest,
      order: { lane: isLocal ? "local" : "remote", address },
      ticket: admission?.ticket ?? null,
    };
    const known = waitMs === 0 ? this.#fromCache(check) : null;
    if (known !== null) return this.#settle(check, known);
    if (waitMs > 0) this.counters.throttled++;
    const checking = this.#check(check, waitMs).finally(() => this.#inFlight.delete(key));
    this.#inFlight.set(key, checking);
    return checking.then((result) => this.#counted(result));
  }

  async #check(check: Check, waitMs: number): Promise<AuthenticationResult> {
    let result: AuthenticationResult = { kind: "failed" };
    try {
      if (waitMs > 0) await this.#options.sleep(waitMs);
      if (check.ticket !== null) this.#options.throttle.begin(check.ticket);
      result = this.#fromCache(check) ?? (await this.#hashAndCompare(check));
      if (result.kind === "busy") await this.#options.sleep(TURNED_AWAY_PAUSE_MS);
    } catch (error) {
      this.#options.logger.error({ err: error }, "a password could not be checked");
    }
    return this.#settle(check, result);
  }

  async #hashAndCompare(check: Check): Promise<AuthenticationResult> {
    const { hashing, policyIterations } = this.#options;
    for (let round = 1; round <= CHECKS_PER_ATTEMPT_MAX; round++) {
      const table = this.#options.users();
      const user = table.get(check.attempt.name);
      const reason = this.#unusable(user);
      const usable = reason === null ? user! : null;
      const candidates = usable === null ? [] : this.#equalWork.candidatesOf(usable);
      const outcome = await hashing.run(
        {
          kind: "verify",
          digest: new Uint8Array(check.digest),
          candidates,
          paddingIterations: this.#equalWork.paddingFor(candidates, table, policyIterations()),
        },
        check.order,
      );
      if (outcome.kind === "busy" || outcome.kind === "failed") return outcome;
      const index = outcome.kind === "verified" ? outcome.index : -1;
      if (usable === null || index < 0)
        return { kind: "refused", reason: reason ?? "wrong-password" };
      const result = this.#acceptIfStillStored(check, usable.passwords[index]);
      if (result !== null) return result;
    }
    return { kind: "refused", reason: "wrong-password" };
  }

  /** The users may have changed while the hash was made. Null: the user has other passwords now. */
  #acceptIfStillStored(check: Check, stored: string): AuthenticationResult | null {
    const errorText = this.#options.credentialsRefusal();
    if (errorText !== null) return { kind: "unavailable", errorText };
    const table = this.#options.users();
    const user = table.get(check.attempt.name);
    const reason = this.#unusable(user);
    if (reason !== null) return { kind: "refused", reason };
    if (!user!.passwords.includes(stored)) return null;
    this.#cache.follow(table);
    this.#cache.remember(user!.id, check.digest, stored);
    this.#rehashWhenCheap(user!, stored, check);
    return { kind: "accepted", user: user! };
  }

  #fromCache(check: Check): AuthenticationResult | null {
    const table = this.#options.users();
    this.#cache.follow(table);
    const user = table.get(check.attempt.name);
    if (user === undefined || this.#unusable(user) !== null) return null;
    const stored = this.#cache.find(user.id, check.digest);
    if (stored === undefined || !user.passwords.includes(stored)) return null;
    this.counters.fromCache++;
    return { kind: "accepted", user };
  }

  #openUser(attempt: LoginAttempt): User | null {
    const user = this.#options.users().get(attempt.name);
    if (user === undefined || this.#isExpired(user)) return null;
    return isOpenTo(user, attempt.origin, this.#options.isProtected()) ? user : null;
  }

  /** Why no password of this user can be right; null when one may be. */
  #unusable(user: User | undefined): RefusalReason | null {
    if (user === undefined) return "no-such-user";
    if (!user.isEnabled) return "disabled";
    if (this.#isExpired(user)) return "expired";
    return user.passwords.length === 0 ? "no-password" : null;
  }

  #isExpired(user: User): boolean {
    return user.expiresAtMs !== 0 && user.expiresAtMs <= this.#options.clusterNowMs();
  }

  #settle(check: Check, result: AuthenticationResult): AuthenticationResult {
    check.digest.fill(0);
    if (check.ticket !== null) {
      const outcome =
        result.kind === "accepted" ? "success" : result.kind === "refused" ? "failure" : "unknown";
      this.#options.throttle.settle(check.ticket, outcome, this.#options.monotonicNowMs());
    }
    return result;
  }

  #counted(result: AuthenticationResult): AuthenticationResult {
    this.#count(result);
    return result;
  }

  #count(result: AuthenticationResult): void {
    if (result.kind !== "unavailable") this.counters[result.kind]++;
  }

  /** The one moment in which a better hash can be made is when the password is here. */
  #rehashWhenCheap(user: User, stored: string, check: Check): void {
    const iterations = this.#options.policyIterations();
    const position = user.passwords.indexOf(stored);
    if (this.#equalWork.candidatesOf(user)[position].iterations >= iterations) return;
    if (this.#rehashing.has(stored)) return;
    this.#rehashing.add(stored);
    void this.#rehash(user, stored, {
      digest: new Uint8Array(check.digest),
      iterations,
      order: check.order,
    });
  }

  async #rehash(
    user: User,
    oldStored: string,
    work: {
      readonly digest: Uint8Array;
      readonly iterations: number;
      readonly order: HashingOrder;
    },
  ): Promise<void> {
    const { digest, iterations } = work;
    const salt = randomBytes(SALT_BYTES);
    const order: HashingOrder = { lane: "background", address: work.order.address };
    const outcome = await this.#options.hashing.run(
      { kind: "derive", digest, salt, iterations },
      order,
    );
    this.#rehashing.delete(oldStored);
    // Without an outcome the next login tries again.
    if (outcome.kind !== "derived") return;
    const newStored = formatStoredPassword({ salt, iterations, hash: outcome.hash });
    this.counters.rehashed++;
    this.#options.onRehash({ name: user.name, userId: user.id, oldStored, newStored });
  }
}

function loginAddress(attempt: LoginAttempt): string {
  return attempt.origin === "unix" ? UNIX_SOCKET_ADDRESS : addressGroup(attempt.address);
}
