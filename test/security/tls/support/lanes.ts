/** Tests that wait far more than they compute share what there are a few of: each takes one, and gives it back. */
export class Lanes<T> {
  readonly #free: T[];
  readonly #waiting: ((lane: T) => void)[] = [];

  constructor(lanes: readonly T[]) {
    this.#free = [...lanes];
  }

  /** Runs with one of them, as soon as one is free. */
  async use<R>(run: (lane: T) => Promise<R>): Promise<R> {
    const free = this.#free.shift();
    const lane = free ?? (await new Promise<T>((resolve) => this.#waiting.push(resolve)));
    try {
      return await run(lane);
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free.push(lane);
      else next(lane);
    }
  }
}
