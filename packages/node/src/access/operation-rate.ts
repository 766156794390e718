/**
 * The `ops-per-sec=` limit of users, on this node: a bucket of one second's worth of commands per user, shared by all its
 * connections. It protects the others from one user's burst; it is no accounting.
 */
import type { User } from "@ferrite/acl";

interface Bucket {
  tokens: number;
  filledAtMs: number;
}

/** Users that have a limit are few; buckets of those that are gone are dropped when there are more than this. */
const BUCKETS_MAX = 1024;

export class OperationRate {
  readonly #buckets = new Map<number, Bucket>();

  /** Whether one more command of `user` is within its limit at `nowMs` (any clock that only goes forward). */
  take(user: User, nowMs: number): boolean {
    const rate = user.operationsPerSecondMax;
    if (rate === 0) return true;
    let bucket = this.#buckets.get(user.id);
    if (bucket === undefined) {
      if (this.#buckets.size >= BUCKETS_MAX) this.#buckets.clear();
      bucket = { tokens: rate, filledAtMs: nowMs };
      this.#buckets.set(user.id, bucket);
    }
    const elapsedMs = Math.max(0, nowMs - bucket.filledAtMs);
    bucket.tokens = Math.min(rate, bucket.tokens + (elapsedMs * rate) / 1000);
    bucket.filledAtMs = nowMs;
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }
}
