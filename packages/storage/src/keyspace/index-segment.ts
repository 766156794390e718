/**
 * One segment of the index: an open-addressing table for the hashes that begin with `prefix` (`depth` bits).
 *
 *   slots   | hash | reference | hash | reference | ...      two 32-bit words each; reference 0 = free
 *
 * Slots are ordered by hash (then by key), and none lies before its home, the place that belongs to its hash. So a
 * lookup ends at the first free slot or greater hash, a removal closes the gap by moving the slots behind it that are
 * not at home (no tombstones), and to walk the slots is to walk the hashes in order. Behind the `capacity` homes there
 * is room for what was pushed over the end; the very last slot is always free, which ends every search.
 */
import { HASH_BITS } from "./hash.ts";

/** What a search for a place needs to know of keys: entries of the same hash are ordered by key. */
export interface KeyOrder {
  /** Below 0, 0 or above 0, as the key of `left` is before, equal to or behind that of `right`. */
  compareEntries(left: number, right: number): number;
}

export const SEGMENT_CAPACITY_MIN = 16;
/** A segment is rebuilt when more than this part of its capacity is taken... */
const LOAD_MAX = 0.85;
/** ...or less than this... */
const LOAD_MIN = 0.55;
/** ...so that this part is taken. The steps are small because all segments fill at the same pace. */
const LOAD_AFTER_REBUILD = 0.75;
const PADDING_SLOTS = 24;
/** Object, typed array and ArrayBuffer of a segment, besides its slots; measured on Node 22. */
const SEGMENT_OVERHEAD_BYTES = 250;

export class IndexSegment {
  readonly depth: number;
  /** The first `depth` bits of the hashes in here. */
  readonly prefix: number;
  slots: Uint32Array;
  count = 0;
  /** At more entries it has to grow or to split. */
  countMax = 0;
  /** Insertions since the slots were laid out, to bound how often long searches rebuild it. */
  insertedSinceBuild = 0;
  capacity: number;
  /** Moves the prefix out of a hash. */
  readonly #shift: number;
  #scale = 0;

  constructor(depth: number, prefix: number, count: number) {
    this.depth = depth;
    this.prefix = prefix;
    this.#shift = 32 - HASH_BITS + depth;
    this.capacity = capacityFor(count);
    this.slots = new Uint32Array(0);
    this.#reset(this.capacity, this.capacity + PADDING_SLOTS);
  }

  get usedBytes(): number {
    return this.slots.byteLength + SEGMENT_OVERHEAD_BYTES;
  }

  /** Whether so few places are taken that a rebuild saves memory. */
  get isSparse(): boolean {
    return this.capacity > SEGMENT_CAPACITY_MIN && this.count < this.capacity * LOAD_MIN;
  }

  /** Hashes in here are below this. */
  get hashEnd(): number {
    return (this.prefix + 1) * 2 ** (HASH_BITS - this.depth);
  }

  /** The word at which a search for `hash` begins. */
  home(hash: number): number {
    return ((((hash << this.#shift) >>> 0) * this.#scale) | 0) << 1;
  }

  /** The word where `reference`, which must be here, has its slot. */
  wordOf(hash: number, reference: number): number {
    const slots = this.slots;
    let at = this.home(hash);
    while (slots[at + 1] !== reference) {
      if (slots[at + 1] === 0 || slots[at] > hash) {
        return -1;
      }
      at += 2;
    }
    return at;
  }

  /** The word where a new `reference` belongs. */
  wordFor(hash: number, reference: number, order: KeyOrder): number {
    const slots = this.slots;
    let at = this.home(hash);
    for (;;) {
      const there = slots[at + 1];
      if (there === 0 || slots[at] > hash) {
        return at;
      }
      if (slots[at] === hash && order.compareEntries(there, reference) > 0) {
        return at;
      }
      at += 2;
    }
  }

  /** Puts a slot at `at`, moving those behind it up to the next free one. False when there is no room at the end. */
  insertAt(at: number, hash: number, reference: number): boolean {
    const slots = this.slots;
    let free = at;
    while (slots[free + 1] !== 0) {
      free += 2;
    }
    if (free + 2 >= slots.length) {
      return false;
    }
    for (; free > at; free -= 2) {
      slots[free] = slots[free - 2]!;
      slots[free + 1] = slots[free - 1]!;
    }
    slots[at] = hash;
    slots[at + 1] = reference;
    this.count += 1;
    this.insertedSinceBuild += 1;
    return true;
  }

  /** Takes the slot at `at` out and closes the gap. */
  removeAt(at: number): void {
    const slots = this.slots;
    let next = at + 2;
    while (slots[next + 1] !== 0 && this.home(slots[next]) !== next) {
      slots[next - 2] = slots[next]!;
      slots[next - 1] = slots[next + 1]!;
      next += 2;
    }
    slots[next - 2] = 0;
    slots[next - 1] = 0;
    this.count -= 1;
  }

  /** Lays the slots out anew for its count, or for `capacity` when that is given. */
  rebuild(capacity: number = capacityFor(this.count)): void {
    const old = this.slots;
    const count = this.count;
    this.#reset(capacity, capacity + PADDING_SLOTS);
    this.#fill(old, count);
  }

  /** Makes the two segments that share its hashes by their next bit. */
  split(): [IndexSegment, IndexSegment] {
    const middle = (this.prefix + 0.5) * 2 ** (HASH_BITS - this.depth);
    const slots = this.slots;
    let lowCount = 0;
    let middleWord = 0;
    for (let at = 0; at < slots.length; at += 2) {
      if (slots[at + 1] !== 0 && slots[at] < middle) {
        lowCount += 1;
        middleWord = at + 2;
      }
    }
    const low = new IndexSegment(this.depth + 1, this.prefix * 2, lowCount);
    const high = new IndexSegment(this.depth + 1, this.prefix * 2 + 1, this.count - lowCount);
    low.#fill(slots.subarray(0, middleWord), lowCount);
    high.#fill(slots.subarray(middleWord), this.count - lowCount);
    return [low, high];
  }

  /** Makes the segment that holds what two neighbours hold. */
  static merge(low: IndexSegment, high: IndexSegment): IndexSegment {
    const count = low.count + high.count;
    const merged = new IndexSegment(low.depth - 1, low.prefix >>> 1, count);
    const slots = new Uint32Array(low.slots.length + high.slots.length);
    slots.set(low.slots);
    slots.set(high.slots, low.slots.length);
    merged.#fill(slots, count);
    return merged;
  }

  #reset(capacity: number, slotCount: number): void {
    this.capacity = capacity;
    this.#scale = capacity / 2 ** 32;
    this.countMax = Math.floor(capacity * LOAD_MAX);
    this.slots = new Uint32Array(slotCount * 2);
    this.count = 0;
    this.insertedSinceBuild = 0;
  }

  /** Places `count` slots, given in order, into empty ones. */
  #fill(from: Uint32Array, count: number): void {
    let slots = this.slots;
    let lastWord = slots.length - 2;
    let next = 0;
    for (let at = 0; at < from.length; at += 2) {
      const reference = from[at + 1];
      if (reference === 0) {
        continue;
      }
      const hash = from[at];
      const home = this.home(hash);
      const to = home > next ? home : next;
      if (to >= lastWord) {
        slots = lengthened(slots, to + 2 * (count - this.count + PADDING_SLOTS));
        lastWord = slots.length - 2;
      }
      slots[to] = hash;
      slots[to + 1] = reference;
      this.count += 1;
      next = to + 2;
    }
    // There must be room for one more behind the last, or the insertion that asked for this would fail again.
    this.slots = next < lastWord ? slots : lengthened(slots, next + 2 * PADDING_SLOTS);
  }
}

function lengthened(slots: Uint32Array, words: number): Uint32Array {
  const longer = new Uint32Array(words);
  longer.set(slots);
  return longer;
}

/** Places for `count` entries after a rebuild. */
export function capacityFor(count: number): number {
  return Math.max(SEGMENT_CAPACITY_MIN, Math.ceil((count + 1) / LOAD_AFTER_REBUILD));
}
