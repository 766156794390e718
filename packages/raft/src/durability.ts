/**
 * Which part of the log has been handed to the disk, and which part is known to be on it.
 *
 *   1 ......... durableIndex ......... nextUnwritten - 1 | nextUnwritten ......... lastIndex
 *     on disk                handed out, not yet told       not handed out yet
 *
 * A position that was written and cut since must not count, not even when the same entry comes back: the cut and the
 * second writing are still on their way to the disk. So every batch on its way remembers how much of it survived the
 * cuts that followed it, instead of only comparing terms when it is done.
 */
import type { LogPosition } from "./damage-floor.ts";
import type { RaftLog } from "./log.ts";
import type { Entry, Index, Term } from "./types.ts";

interface Batch {
  readonly index: Index;
  readonly term: Term;
  /** The last index of it, and of what came before it, that no later cut has taken away. */
  survivesTo: Index;
}

export class Durability {
  #durableIndex: Index;
  #nextUnwritten: Index;
  /** Batches on their way, oldest first. They become durable in this order. */
  #batches: Batch[] = [];

  /** All that was restored came from the disk. */
  constructor(lastIndex: Index) {
    this.#durableIndex = lastIndex;
    this.#nextUnwritten = lastIndex + 1;
  }

  get durableIndex(): Index {
    return this.#durableIndex;
  }

  hasUnwritten(log: RaftLog): boolean {
    return this.#nextUnwritten <= log.lastIndex;
  }

  /** Everything that is not on its way yet; from now on it is. */
  takeUnwritten(log: RaftLog): readonly Entry[] {
    const entries = log.slice(this.#nextUnwritten, log.lastIndex);
    if (entries.length > 0) {
      this.#nextUnwritten = log.lastIndex + 1;
      this.#batches.push({
        index: log.lastIndex,
        term: log.lastTerm,
        survivesTo: log.lastIndex,
      });
    }
    return entries;
  }

  /** The driver says a batch is on disk. One that is not known (told twice, or void since a reset) changes nothing. */
  persisted(position: LogPosition): boolean {
    const done = this.#batches.findIndex(
      (batch) => batch.index === position.index && batch.term === position.term,
    );
    const batch = this.#batches[done];
    if (batch === undefined) {
      return false;
    }
    this.#batches = this.#batches.slice(done + 1);
    if (batch.survivesTo <= this.#durableIndex) {
      return false;
    }
    this.#durableIndex = batch.survivesTo;
    return true;
  }

  /** The log in memory was cut from `index` on; the disk will follow with the next batch. */
  cutFrom(index: Index): void {
    this.#durableIndex = Math.min(this.#durableIndex, index - 1);
    this.#nextUnwritten = Math.min(this.#nextUnwritten, index);
    for (const batch of this.#batches) {
      batch.survivesTo = Math.min(batch.survivesTo, index - 1);
    }
  }

  /** A snapshot took the place of the log, on disk too. */
  reset(index: Index): void {
    this.#durableIndex = index;
    this.#nextUnwritten = index + 1;
    this.#batches = [];
  }
}
