/**
 * The log in memory: a snapshot position and the entries behind it.
 *
 *      snapshotIndex   firstIndex                       lastIndex
 *   ---- (compacted) |  e  e  e  e  e  e  e  e  e  e  e  e  |
 *                       ^ entries[0]
 *
 * Of the position at `snapshotIndex` only the term is known. Indices have no gaps, terms never fall.
 */
import { isAtLeast } from "./damage-floor.ts";
import { invariant } from "./errors.ts";
import type { Entry, Index, SnapshotMeta, Term } from "./types.ts";

export class RaftLog {
  #snapshotIndex: Index;
  #snapshotTerm: Term;
  #entries: Entry[] = [];
  #dataBytes = 0;

  constructor(snapshot: Pick<SnapshotMeta, "index" | "term">) {
    this.#snapshotIndex = snapshot.index;
    this.#snapshotTerm = snapshot.term;
  }

  get snapshotIndex(): Index {
    return this.#snapshotIndex;
  }

  get firstIndex(): Index {
    return this.#snapshotIndex + 1;
  }

  get lastIndex(): Index {
    return this.#snapshotIndex + this.#entries.length;
  }

  get lastTerm(): Term {
    return this.#entries.at(-1)?.term ?? this.#snapshotTerm;
  }

  /** Bytes of entry data held. */
  get dataBytes(): number {
    return this.#dataBytes;
  }

  /** Term of the entry at `index`, or null when the log does not reach there or has forgotten it. */
  termAt(index: Index): Term | null {
    if (index === this.#snapshotIndex) {
      return this.#snapshotTerm;
    }
    return this.#entries[index - this.firstIndex]?.term ?? null;
  }

  /** Is the entry at `index` the one of `term`? Then all before it are the same too (paper, log matching). */
  matches(index: Index, term: Term): boolean {
    return this.termAt(index) === term;
  }

  /** Is a log that ends at (lastIndex, lastTerm) at least as up to date as this one? Paper, section 5.4.1. */
  isUpToDate(lastIndex: Index, lastTerm: Term): boolean {
    const own = { index: this.lastIndex, term: this.lastTerm };
    return isAtLeast({ index: lastIndex, term: lastTerm }, own);
  }

  append(entry: Entry): void {
    invariant(
      entry.index === this.lastIndex + 1,
      "logGap",
      "an entry does not follow the last one",
    );
    invariant(
      entry.term >= this.lastTerm,
      "logTermBackwards",
      "an entry is older than the last one",
    );
    this.#entries.push(entry);
    this.#dataBytes += entry.data.byteLength;
  }

  /** Removes the entries from `index` on. */
  cutFrom(index: Index): void {
    invariant(
      index > this.#snapshotIndex,
      "committedEntryCut",
      "a cut would reach into the snapshot",
    );
    this.#dataBytes -= this.dataBytesOf(index, this.lastIndex);
    this.#entries.length = Math.min(this.#entries.length, index - this.firstIndex);
  }

  /** The entries from `from` to `to`, both included. Costs what it returns, however long the log is. */
  slice(from: Index, to: Index): readonly Entry[] {
    if (from > to) {
      return [];
    }
    invariant(from >= this.firstIndex, "logIndexOutOfRange", "a slice begins before the log");
    invariant(to <= this.lastIndex, "logIndexOutOfRange", "a slice ends behind the log");
    return this.#entries.slice(from - this.firstIndex, to - this.firstIndex + 1);
  }

  /** Bytes of data of the entries from `from` to `to`, both included. */
  dataBytesOf(from: Index, to: Index): number {
    let bytes = 0;
    for (let index = from; index <= to; index += 1) {
      bytes += this.#entries[index - this.firstIndex]?.data.byteLength ?? 0;
    }
    return bytes;
  }

  /** Entries from `from` on with at most `bytesMax` bytes of data together, but at least one if there is any. */
  sliceBytes(from: Index, bytesMax: number): readonly Entry[] {
    let bytes = 0;
    let to = from - 1;
    while (to < this.lastIndex) {
      bytes += this.#entries[to + 1 - this.firstIndex]?.data.byteLength ?? 0;
      if (bytes > bytesMax && to >= from) {
        break;
      }
      to += 1;
    }
    return this.slice(from, to);
  }

  /**
   * The largest position at or before `index` whose term is not above `term`: the furthest point where another log
   * that has `term` at `index` may still agree. Binary search, as terms never fall. Null when it lies before the log.
   */
  lastIndexOfTermAtMost(index: Index, term: Term): Index | null {
    let low = this.#snapshotIndex;
    let high = Math.min(index, this.lastIndex);
    if (high < low || this.#snapshotTerm > term) {
      return null;
    }
    while (low < high) {
      const middle = low + Math.ceil((high - low) / 2);
      if ((this.termAt(middle) ?? Infinity) <= term) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    return low;
  }

  /** Forgets the entries up to and with `index`. */
  compactTo(index: Index): void {
    if (index <= this.#snapshotIndex) {
      return;
    }
    const term = this.termAt(index);
    invariant(term !== null, "logIndexOutOfRange", "compaction reaches behind the log");
    this.#dataBytes -= this.dataBytesOf(this.firstIndex, index);
    this.#entries = this.#entries.slice(index - this.#snapshotIndex);
    this.#snapshotIndex = index;
    this.#snapshotTerm = term;
  }

  /** Begins anew behind a snapshot. */
  reset(index: Index, term: Term): void {
    this.#entries = [];
    this.#dataBytes = 0;
    this.#snapshotIndex = index;
    this.#snapshotTerm = term;
  }
}
