/** Who waits for copies of an index, until there are enough or the time is up. The counting is copy-counts.ts. */
import type { Index } from "@ferrite/raft";

interface Waiter {
  readonly index: Index;
  readonly wanted: number;
  readonly deadlineMs: number;
  readonly done: (count: number) => void;
}

export class CopiesWaiters {
  #waiters: Waiter[] = [];

  get isEmpty(): boolean {
    return this.#waiters.length === 0;
  }

  /** The returned function gives up without an answer. */
  add(waiter: Waiter): () => void {
    this.#waiters.push(waiter);
    return () => {
      this.#waiters = this.#waiters.filter((other) => other !== waiter);
    };
  }

  /** Answers who has enough, and whose time is up. */
  check(countCopies: (index: Index) => number, nowMs: number): void {
    if (this.#waiters.length === 0) return;
    const kept: Waiter[] = [];
    const answered: [Waiter, number][] = [];
    for (const waiter of this.#waiters) {
      const count = countCopies(waiter.index);
      if (count >= waiter.wanted || nowMs >= waiter.deadlineMs) answered.push([waiter, count]);
      else kept.push(waiter);
    }
    this.#waiters = kept;
    for (const [waiter, count] of answered) waiter.done(count);
  }
}
