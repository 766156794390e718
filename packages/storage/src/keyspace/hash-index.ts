/**
 * The index: from hash to entry, in hash order.
 *
 * A directory maps the first bits of a hash to a segment (extendible hashing). A segment grows in small steps, splits
 * when it is full and merges with its neighbour when both are nearly empty, so a mutation moves the slots of one segment
 * (about 2,000) at most, memory follows the number of keys closely, and there are never two tables to look into.
 *
 * Because everything is ordered by hash, a position in a walk is a hash, whatever happens to segments meanwhile: what is
 * there during a whole walk is met exactly once. SCAN cursors and the snapshot's walk are such positions. The order
 * (hash, then key) depends on the keys alone, so it is the same on a node that replayed and on one that was restored.
 */
import type { EntryStore } from "./entry-store.ts";
import { assertInvariant } from "./errors.ts";
import { HASH_BITS, HASH_END } from "./hash.ts";
import { capacityFor, IndexSegment, type KeyOrder } from "./index-segment.ts";

/** A full segment of this many entries is split instead of grown. */
const SPLIT_COUNT = 2048;
/** A segment of at most this many entries looks whether it can merge... */
const MERGE_COUNT = 512;
/** ...into one of at most this many. */
const MERGED_COUNT_MAX = 1024;
/** A search longer than this many slots means that hashes crowd (a restore in hash order, or collisions). */
const SEARCH_SLOTS_MAX = 96;
const DEPTH_MIN = 1;
const DEPTH_MAX = 24;
/** The directory may always be this long; beyond, at most two places per key. */
const DIRECTORY_FREE_LENGTH = 1024;
/** A crowded segment that can not be split grows to this many places per entry at most. */
const CROWDED_PLACES_PER_ENTRY = 4;
const DIRECTORY_PLACE_BYTES = 8;
/** While entries are expected, a segment has about this many in the end... */
const EXPECTED_COUNT_MAX = 1500;
/** ...grows by this factor until then... */
const EXPECTED_GROWTH = 8;
/** ...and so many segments are made beforehand at most (about 9 MiB), as what announces them may lie. */
const EXPECTED_DEPTH_MAX = 14;

export class HashIndex implements KeyOrder {
  readonly #entries: EntryStore;
  #directory: IndexSegment[] = [];
  #depth = DEPTH_MIN;
  #shift = HASH_BITS - DEPTH_MIN;
  #size = 0;
  #segmentBytes = 0;
  /** Entries a segment will have when all that `expect` announced are there; 0 when nothing is expected. */
  #expectedCount = 0;
  /** Segments by depth, to see when the directory can be halved. */
  readonly #segmentsAtDepth: number[] = Array.from({ length: DEPTH_MAX + 1 }, () => 0);

  constructor(entries: EntryStore) {
    this.#entries = entries;
    for (let prefix = 0; prefix < 1 << DEPTH_MIN; prefix += 1) {
      const segment = new IndexSegment(DEPTH_MIN, prefix, 0);
      this.#directory.push(segment);
      this.#count(segment, 1);
    }
  }

  get size(): number {
    return this.#size;
  }

  get usedBytes(): number {
    return this.#segmentBytes + this.#directory.length * DIRECTORY_PLACE_BYTES;
  }

  /** The entry with this key, or 0. */
  find(hash: number, key: Uint8Array, start: number, end: number): number {
    const segment = this.#directory[hash >>> this.#shift];
    const slots = segment.slots;
    let at = segment.home(hash);
    for (;;) {
      const reference = slots[at + 1];
      const there = slots[at];
      if (reference === 0 || there > hash) {
        return 0;
      }
      if (there === hash && this.#entries.keyEquals(reference, key, start, end)) {
        return reference;
      }
      at += 2;
    }
  }

  /**
   * Prepares for about `count` insertions in hash order into an empty index, until `expect(0)`. Without it each segment
   * in turn would be crowded at its lower end and be laid out again and again. Memory follows what is really inserted.
   */
  expect(count: number): void {
    this.#expectedCount = 0;
    if (count === 0) {
      return;
    }
    const wanted = Math.ceil(Math.log2(count / EXPECTED_COUNT_MAX));
    const depth = Math.min(EXPECTED_DEPTH_MAX, Math.max(DEPTH_MIN, wanted));
    while (this.#depth < depth) {
      for (const segment of new Set(this.#directory)) {
        this.#split(segment);
      }
    }
    this.#expectedCount = Math.min(EXPECTED_COUNT_MAX, Math.ceil((count / 2 ** depth) * 1.02));
  }

  /** Adds an entry whose key is not there. */
  insert(hash: number, reference: number): void {
    for (;;) {
      const segment = this.#directory[hash >>> this.#shift];
      if (segment.count >= segment.countMax) {
        this.#makeRoom(segment);
        continue;
      }
      const at = segment.wordFor(hash, reference, this);
      const searched = (at - segment.home(hash)) >>> 1;
      if (searched > SEARCH_SLOTS_MAX && this.#spread(segment)) {
        continue;
      }
      if (segment.insertAt(at, hash, reference)) {
        this.#size += 1;
        return;
      }
      this.#rebuild(segment, segment.capacity);
    }
  }

  /** Takes an entry out, which must be there. */
  remove(hash: number, reference: number): void {
    const segment = this.#directory[hash >>> this.#shift];
    const at = segment.wordOf(hash, reference);
    assertInvariant(at >= 0, "an entry to remove is not in the index");
    segment.removeAt(at);
    this.#size -= 1;
    if (segment.count <= MERGE_COUNT && this.#mergeUpwards(segment)) {
      return;
    }
    if (segment.isSparse) {
      this.#rebuild(segment);
    }
  }

  /** Lets a slot point to the entry's new place. */
  replace(hash: number, reference: number, moved: number): void {
    const segment = this.#directory[hash >>> this.#shift];
    const at = segment.wordOf(hash, reference);
    assertInvariant(at >= 0, "an entry to move is not in the index");
    segment.slots[at + 1] = moved;
  }

  /**
   * Visits entries with hashes of at least `fromHash` in order until `visit` returns false or about `slotsMax` slots
   * were looked at; entries of one hash are never separated. Returns where to go on: the least hash not yet visited,
   * or `HASH_END`. `visit` must not change the index.
   */
  walk(
    fromHash: number,
    slotsMax: number,
    visit: (reference: number, hash: number) => boolean,
  ): number {
    let from = fromHash;
    let slotsLeft = slotsMax;
    let more = true;
    while (from < HASH_END) {
      const segment = this.#directory[from >>> this.#shift];
      const slots = segment.slots;
      let visited = -1;
      for (let at = segment.home(from); at < slots.length; at += 2) {
        slotsLeft -= 1;
        const hash = slots[at];
        if (slots[at + 1] === 0 || hash < from) {
          continue;
        }
        if ((!more || slotsLeft < 0) && hash !== visited && hash > from) {
          return hash;
        }
        visited = hash;
        more = visit(slots[at + 1], hash) && more;
      }
      from = segment.hashEnd;
      if (!more || slotsLeft <= 0) {
        return from;
      }
    }
    return HASH_END;
  }

  compareEntries(left: number, right: number): number {
    const entries = this.#entries;
    const start = entries.keyStart(right);
    const end = start + entries.keyLength(right);
    return entries.compareKey(left, entries.keyBuffer(right), start, end);
  }

  /** Throws when order, places, counts or books are wrong. Returns the references in order. For tests. */
  checkInvariants(hashOf: (reference: number) => number): number[] {
    const references: number[] = [];
    let bytes = 0;
    let place = 0;
    while (place < this.#directory.length) {
      const segment = this.#directory[place];
      const span = 2 ** (this.#depth - segment.depth);
      assertInvariant(segment.prefix * span === place, "a segment is at a wrong place");
      for (let shared = place; shared < place + span; shared += 1) {
        assertInvariant(this.#directory[shared] === segment, "a segment's places differ");
      }
      this.#checkSegment(segment, hashOf, references);
      bytes += segment.usedBytes;
      place += span;
    }
    assertInvariant(bytes === this.#segmentBytes, "the bytes of segments are counted wrong");
    assertInvariant(references.length === this.#size, "the size of the index is wrong");
    return references;
  }

  #checkSegment(
    segment: IndexSegment,
    hashOf: (reference: number) => number,
    references: number[],
  ): void {
    const slots = segment.slots;
    assertInvariant(slots[slots.length - 1] === 0, "the last slot of a segment is taken");
    const before = references.length;
    let lastHash = -1;
    let lastReference = 0;
    for (let at = 0; at < slots.length; at += 2) {
      const reference = slots[at + 1];
      if (reference === 0) {
        continue;
      }
      const hash = slots[at];
      const home = segment.home(hash);
      assertInvariant(hash === hashOf(reference), "a slot's hash is not its key's");
      assertInvariant(hash < segment.hashEnd, "a hash is in a segment before its own");
      assertInvariant(hash >>> (HASH_BITS - segment.depth) === segment.prefix, "a foreign hash");
      assertInvariant(home <= at, "a slot lies before its home");
      assertInvariant(home === at || slots[at - 1] !== 0, "a gap before a slot not at home");
      const ordered =
        hash > lastHash || (hash === lastHash && this.compareEntries(lastReference, reference) < 0);
      assertInvariant(ordered, "slots are out of order");
      lastHash = hash;
      lastReference = reference;
      references.push(reference);
    }
    assertInvariant(references.length - before === segment.count, "a segment's count is wrong");
  }

  /** A full segment: splits it, or lets it grow. */
  #makeRoom(segment: IndexSegment): void {
    if (segment.count >= SPLIT_COUNT && this.#maySplit(segment)) {
      this.#split(segment);
    } else {
      const expected = Math.min(this.#expectedCount, segment.count * EXPECTED_GROWTH);
      this.#rebuild(segment, capacityFor(Math.max(segment.count, expected)));
    }
  }

  /**
   * A crowded segment: splits it or gives it more places; false when neither would help enough to be worth the work.
   * A restore fills a segment from its lower end, so without this searches would become walks.
   */
  #spread(segment: IndexSegment): boolean {
    if (segment.insertedSinceBuild * 8 < segment.count) {
      return false;
    }
    if (segment.count < this.#expectedCount) {
      // It lies about as it will when all is there.
      return false;
    }
    if (this.#maySplit(segment)) {
      this.#split(segment);
      return true;
    }
    const capacity = Math.ceil(segment.capacity * 1.5);
    if (capacity > segment.count * CROWDED_PLACES_PER_ENTRY) {
      return false;
    }
    this.#rebuild(segment, capacity);
    return true;
  }

  #maySplit(segment: IndexSegment): boolean {
    if (segment.depth < this.#depth) {
      return true;
    }
    const longer = this.#directory.length * 2;
    return this.#depth < DEPTH_MAX && longer <= Math.max(DIRECTORY_FREE_LENGTH, this.#size * 2);
  }

  #split(segment: IndexSegment): void {
    if (segment.depth === this.#depth) {
      this.#doubleDirectory();
    }
    const [low, high] = segment.split();
    this.#count(segment, -1);
    this.#place(low);
    this.#place(high);
  }

  #rebuild(segment: IndexSegment, capacity?: number): void {
    this.#segmentBytes -= segment.usedBytes;
    segment.rebuild(capacity);
    this.#segmentBytes += segment.usedBytes;
  }

  /** Merges while neighbours are nearly empty; false when there was nothing to merge. */
  #mergeUpwards(first: IndexSegment): boolean {
    let segment = first;
    while (segment.depth > DEPTH_MIN && segment.count <= MERGE_COUNT) {
      const span = this.#depth - segment.depth;
      const neighbour = this.#directory[(segment.prefix ^ 1) << span];
      const count = segment.count + neighbour.count;
      if (neighbour.depth !== segment.depth || count > MERGED_COUNT_MAX) {
        break;
      }
      const isLow = (segment.prefix & 1) === 0;
      const merged = isLow
        ? IndexSegment.merge(segment, neighbour)
        : IndexSegment.merge(neighbour, segment);
      this.#count(segment, -1);
      this.#count(neighbour, -1);
      this.#place(merged);
      segment = merged;
    }
    this.#halveDirectory();
    return segment !== first;
  }

  #place(segment: IndexSegment): void {
    const span = 1 << (this.#depth - segment.depth);
    const first = segment.prefix * span;
    this.#directory.fill(segment, first, first + span);
    this.#count(segment, 1);
  }

  #count(segment: IndexSegment, change: 1 | -1): void {
    this.#segmentBytes += change * segment.usedBytes;
    this.#segmentsAtDepth[segment.depth] += change;
  }

  #doubleDirectory(): void {
    const longer: IndexSegment[] = [];
    for (const segment of this.#directory) {
      longer.push(segment, segment);
    }
    this.#setDirectory(longer, this.#depth + 1);
  }

  #halveDirectory(): void {
    while (this.#depth > DEPTH_MIN && this.#segmentsAtDepth[this.#depth] === 0) {
      const shorter = this.#directory.filter((_, place) => place % 2 === 0);
      this.#setDirectory(shorter, this.#depth - 1);
    }
  }

  #setDirectory(directory: IndexSegment[], depth: number): void {
    this.#directory = directory;
    this.#depth = depth;
    this.#shift = HASH_BITS - depth;
  }
}
