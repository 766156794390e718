/**
 * The cluster's clock, seen from one node.
 *
 * Expiry must not depend on whose clock is asked. The leader stamps every entry with its own time; other nodes take
 * the leader's time from its frames and let it run on by their monotonic clock. So a key that expired for one node
 * has expired, within the network's delay, for all of them, whatever their own wall clocks say. It never runs back:
 * a new leader whose clock is behind goes on from where the old one was.
 */
export interface Clock {
  /** Unix ms. */
  nowMs(): number;
  /** Ms since some fixed moment; never runs back. */
  monotonicMs(): number;
}

export class LogicalClock {
  readonly #clock: Clock;
  #leading = false;
  /** Leader's time when last heard, and this node's monotonic time then. Null before the first leader. */
  #heard: { readonly timeMs: number; readonly atMs: number } | null = null;
  #lastMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  lead(leading: boolean): void {
    if (this.#leading && !leading) {
      this.#heard = { timeMs: this.nowMs(), atMs: this.#clock.monotonicMs() };
    }
    this.#leading = leading;
  }

  /** A frame of the current leader arrived. */
  heard(leaderTimeMs: number): void {
    if (Number.isFinite(leaderTimeMs)) {
      this.#heard = { timeMs: leaderTimeMs, atMs: this.#clock.monotonicMs() };
    }
  }

  /** Time of an entry that was applied: nothing may be earlier from now on. */
  applied(timeMs: number): void {
    if (timeMs > this.#lastMs) this.#lastMs = timeMs;
  }

  /** Whole Unix ms, never less than before. */
  nowMs(): number {
    const heard = this.#heard;
    const now =
      this.#leading || heard === null
        ? this.#clock.nowMs()
        : heard.timeMs + (this.#clock.monotonicMs() - heard.atMs);
    const whole = Math.floor(now);
    if (whole > this.#lastMs) this.#lastMs = whole;
    return this.#lastMs;
  }
}
