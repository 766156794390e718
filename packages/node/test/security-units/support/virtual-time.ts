/** A clock that stands still until a test moves it. */
export class VirtualTime {
  nowMs = 1_000_000;
  #sleepers: { readonly dueMs: number; readonly wake: () => void }[] = [];

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#sleepers.push({ dueMs: this.nowMs + ms, wake: resolve });
    });
  }

  /** When sleepers wake, in ms from now, in order. */
  get dueInMs(): number[] {
    return this.#sleepers.map(({ dueMs }) => dueMs - this.nowMs).sort((a, b) => a - b);
  }

  /** Moves on and lets everything happen that follows. */
  async advance(ms: number): Promise<void> {
    this.nowMs += ms;
    const due = this.#sleepers.filter((sleeper) => sleeper.dueMs <= this.nowMs);
    this.#sleepers = this.#sleepers.filter((sleeper) => sleeper.dueMs > this.nowMs);
    for (const sleeper of due) sleeper.wake();
    await settled();
  }
}

/** After all that promises do without waiting for anything outside. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
