/**
 * The leader looks for keys that have expired and names them in a log entry; every node removes those that have still expired at
 * the entry's time. Reads do not wait for that: they see an expired key as gone.
 */
import type { KeyspaceApi } from "@ferrite/storage";
import { BatchBuilder, BatchKind, NODE_ACTOR_ID, NO_ORIGIN } from "./batch.ts";

/** Redis looks ten times a second; so do we, and at once again while there is much to remove. */
const CYCLE_MS = 100;
const BUSY_CYCLE_MS = 10;
/** Keys named in one entry, and entries looked at to find them: well below 1 ms of work. */
export const EXPIRY_KEYS_PER_CYCLE = 512;
export const EXPIRY_EXAMINED_PER_CYCLE = 4096;

export class ExpiryCycle {
  readonly #builder: BatchBuilder = new BatchBuilder(BatchKind.Expiry);
  #nextAtMs = 0;

  reset(): void {
    this.#nextAtMs = 0;
  }

  /** An unstamped entry that removes what has expired at `logicalNowMs`, or null when there is nothing to do now. */
  tick(keyspace: KeyspaceApi, logicalNowMs: number, monotonicNowMs: number): Buffer | null {
    if (monotonicNowMs < this.#nextAtMs || keyspace.volatileSize === 0) return null;
    const builder = this.#builder;
    keyspace.collectExpired(
      logicalNowMs,
      { limit: EXPIRY_KEYS_PER_CYCLE, examineMax: EXPIRY_EXAMINED_PER_CYCLE },
      (ref) => {
        const start = keyspace.keyStart(ref);
        builder.add(keyspace.keyBuffer(ref), start, start + keyspace.keyLength(ref), NODE_ACTOR_ID);
      },
    );
    const found = builder.count;
    this.#nextAtMs =
      monotonicNowMs + (found >= EXPIRY_KEYS_PER_CYCLE / 4 ? BUSY_CYCLE_MS : CYCLE_MS);
    return found === 0 ? null : builder.seal(NO_ORIGIN);
  }
}

/** The same for users: an entry without records removes all whose time is up at its own time. */
export class UserExpiryCycle {
  readonly #builder: BatchBuilder = new BatchBuilder(BatchKind.UserExpiry);
  #nextAtMs = 0;

  reset(): void {
    this.#nextAtMs = 0;
  }

  /** An unstamped entry, or null when no user's time is up. Again after a cycle when it did not come through. */
  tick(nextExpiryMs: number, logicalNowMs: number, monotonicNowMs: number): Buffer | null {
    if (nextExpiryMs > logicalNowMs || monotonicNowMs < this.#nextAtMs) return null;
    this.#nextAtMs = monotonicNowMs + CYCLE_MS;
    return this.#builder.seal(NO_ORIGIN);
  }
}
