/** Different complaints that are remembered; keys may hold the address of a stranger. */
const KEYS_MAX = 1024;

/** Lets the same complaint through once per interval, with the number of those that were held back. */
export class LogLimiter {
  readonly #intervalMs: number;
  /** Oldest first. */
  readonly #held = new Map<string, { readonly sinceMs: number; count: number }>();

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs;
  }

  /** Null when the complaint `key` is to be held back; else how many were, since the last one that was not. */
  pass(key: string, nowMs: number): { readonly suppressed: number } | null {
    const held = this.#held.get(key);
    if (held !== undefined && nowMs - held.sinceMs < this.#intervalMs && nowMs >= held.sinceMs) {
      held.count++;
      return null;
    }
    this.#forgetOld(nowMs);
    this.#held.delete(key);
    this.#held.set(key, { sinceMs: nowMs, count: 0 });
    return { suppressed: held?.count ?? 0 };
  }

  /** Keys come from outside, so they must not pile up: not those that said nothing, and none beyond the limit. */
  #forgetOld(nowMs: number): void {
    for (const [key, held] of this.#held) {
      if (held.count === 0 && nowMs - held.sinceMs >= this.#intervalMs) {
        this.#held.delete(key);
      }
    }
    for (const key of this.#held.keys()) {
      if (this.#held.size < KEYS_MAX) return;
      this.#held.delete(key);
    }
  }
}
