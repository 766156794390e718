/** What is committed and not applied yet. A round applies a bounded part of it, so that nothing else waits for long. */
import type { Entry } from "@ferrite/raft";
import type { ApplyListener, StateMachine } from "./state-machine.ts";

/** Applied entries that may stand before the next one: they are let go in portions. */
const APPLIED_KEPT_MAX = 1024;

export class ApplyQueue {
  #entries: Entry[] = [];
  /** Where the next round goes on. */
  #at = 0;

  get isEmpty(): boolean {
    return this.#at === this.#entries.length;
  }

  push(entries: readonly Entry[]): void {
    for (const entry of entries) this.#entries.push(entry);
  }

  /** Applies entries until about `recordsMax` records ran; the last entry is always finished. */
  apply(machine: StateMachine, listener: ApplyListener, recordsMax: number): void {
    let left = recordsMax;
    while (!this.isEmpty && left > 0) {
      left -= machine.apply(this.#entries[this.#at], listener);
      this.#at++;
    }
    if (this.#at >= APPLIED_KEPT_MAX || (this.isEmpty && this.#at > 0)) {
      this.#entries = this.#entries.slice(this.#at);
      this.#at = 0;
    }
  }

  /** Another state took this one's place: what was to come is in it. */
  clear(): void {
    this.#entries = [];
    this.#at = 0;
  }
}
