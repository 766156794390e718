/** Lets the same complaint through once per interval, with the number of those that were held back. */
export class LogLimiter {
  readonly #intervalMs: number;
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
    this.#held.set(key, { sinceMs: nowMs, count: 0 });
    return { suppressed: held?.count ?? 0 };
  }

  /** Keys may come from outside, so they must not pile up. */
  #forgetOld(nowMs: number): void {
    for (const [key, held] of this.#held) {
      if (held.count === 0 && nowMs - held.sinceMs >= this.#intervalMs) {
        this.#held.delete(key);
      }
    }
  }
}
