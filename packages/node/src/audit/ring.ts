/** The newest records in memory, so that looking at them costs no disk. */
export interface RingEntry {
  readonly sequence: number;
  /** With its line end. */
  readonly line: Buffer;
}

export class Ring {
  readonly #entries: (RingEntry | undefined)[];
  #next = 0;
  #size = 0;

  constructor(capacity: number) {
    this.#entries = Array.from({ length: capacity });
  }

  get size(): number {
    return this.#size;
  }

  push(entry: RingEntry): void {
    this.#entries[this.#next] = entry;
    this.#next = (this.#next + 1) % this.#entries.length;
    this.#size = Math.min(this.#size + 1, this.#entries.length);
  }

  /** The sequence of the oldest entry; Infinity when there is none. */
  get oldestSequence(): number {
    return this.#size === 0 ? Number.POSITIVE_INFINITY : this.#at(0).sequence;
  }

  /** The oldest entries above `after`, at most `count`, oldest first. */
  above(after: number, count: number): RingEntry[] {
    let low = 0;
    let high = this.#size;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#at(middle).sequence > after) high = middle;
      else low = middle + 1;
    }
    const found: RingEntry[] = [];
    for (let at = low; at < this.#size && found.length < count; at++) found.push(this.#at(at));
    return found;
  }

  #at(position: number): RingEntry {
    const first = this.#next - this.#size + this.#entries.length;
    return this.#entries[(first + position) % this.#entries.length]!;
  }
}
