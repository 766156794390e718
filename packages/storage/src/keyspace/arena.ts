/**
 * Memory for entries: chunks, cut into slabs, cut into equal blocks.
 *
 *   chunk  1 MiB, one ArrayBuffer      | slab 0 | slab 1 | ...                        | slab 15 |
 *   slab   64 KiB, blocks of one class | block | block | block | ...          | (rest < 1 block) |
 *
 *   address  31           17 16     13 12                 0
 *            | chunk number | slab    | 8-byte unit in slab |     0 is never given out: chunk 0 does not exist
 *
 * A block has no header of its own: the entry in it says how long it is, and with that its class. A free block holds
 * the address of the next free block of its slab in its first four bytes. A slab without blocks in use goes back to
 * its chunk and may serve another class next; a chunk without slabs in use goes back to the system, but for one that is
 * kept so that a keyspace at a border does not allocate and release in turn.
 *
 * Addresses below 2^31 (16 GiB) are small integers for the engine; above, up to 32 GiB, all works, only slower.
 */
import { assertInvariant, KeyspaceError } from "./errors.ts";
import { CLASS_BLOCKS, CLASS_BYTES, CLASS_COUNT, SLAB_BYTES, sizeClassOf } from "./size-classes.ts";

export const CHUNK_BYTES: number = 1024 * 1024;
const SLABS_PER_CHUNK = CHUNK_BYTES / SLAB_BYTES;
const ALL_SLABS_FREE = (1 << SLABS_PER_CHUNK) - 1;
const CHUNK_NUMBER_MAX = 2 ** 15 - 1;
/** Address to chunk number. */
export const CHUNK_SHIFT = 17;
/** The part of an address inside its chunk, in units. */
export const UNIT_MASK = 0x1ffff;
const SLAB_SHIFT = 13;
const SLAB_MASK = 0x1fff;

/** What the books say about one slab. */
const SLAB_BOOK_BYTES = 1 + 2 + 2 + 4 + 4 + 4;

export interface ArenaOptions {
  /** Chunks that may exist at once; 32,767 (about 32 GiB) when absent. */
  readonly chunksMax?: number;
}

export class Arena {
  /** The bytes, by chunk number. Not to be kept over a change: a released chunk is replaced by an empty one. */
  readonly buffers: Buffer[] = [Buffer.alloc(0)];
  /** The same memory in 32-bit words. */
  readonly words: Uint32Array[] = [new Uint32Array(0)];

  readonly #chunksMax: number;
  /** By chunk: a bit per slab that serves no class now. */
  #freeSlabs: number[] = [0];
  /** No chunk below has a free slab. */
  #lowestOpenChunk = 1;
  #emptyChunks = 0;
  #chunkCount = 0;
  #slabsInUse = 0;

  #slabClass: Uint8Array = new Uint8Array(0);
  #slabUsed: Uint16Array = new Uint16Array(0);
  /** Blocks from this one on were never used. */
  #slabFresh: Uint16Array = new Uint16Array(0);
  #slabFree: Uint32Array = new Uint32Array(0);
  #slabNext: Uint32Array = new Uint32Array(0);
  #slabPrevious: Uint32Array = new Uint32Array(0);
  /** By class: first slab with a free block. 0 = none. */
  readonly #openSlab: Uint32Array = new Uint32Array(CLASS_COUNT);

  constructor(options: ArenaOptions = {}) {
    this.#chunksMax = Math.min(options.chunksMax ?? CHUNK_NUMBER_MAX, CHUNK_NUMBER_MAX);
  }

  /** Bytes of slabs that hold entries, and of the books. Back to its first value when all is freed. */
  get usedBytes(): number {
    return this.#slabsInUse * (SLAB_BYTES + SLAB_BOOK_BYTES);
  }

  /** Bytes taken from the system. */
  get reservedBytes(): number {
    return this.#chunkCount * (CHUNK_BYTES + SLABS_PER_CHUNK * SLAB_BOOK_BYTES);
  }

  /** The address of a block of at least `sizeBytes` (1 to `BLOCK_BYTES_MAX`) of undefined content. */
  allocate(sizeBytes: number): number {
    const sizeClass = sizeClassOf(sizeBytes);
    let slab = this.#openSlab[sizeClass];
    if (slab === 0) {
      slab = this.#takeSlab(sizeClass);
    }
    let address = this.#slabFree[slab];
    if (address === 0) {
      const fresh = this.#slabFresh[slab];
      this.#slabFresh[slab] = fresh + 1;
      address = ((slab << SLAB_SHIFT) >>> 0) + ((fresh * CLASS_BYTES[sizeClass]) >>> 3);
    } else {
      const words = this.words[address >>> CHUNK_SHIFT];
      this.#slabFree[slab] = words[(address & UNIT_MASK) << 1]!;
    }
    const used = this.#slabUsed[slab] + 1;
    this.#slabUsed[slab] = used;
    if (used === CLASS_BLOCKS[sizeClass]) {
      this.#close(slab, sizeClass);
    }
    return address;
  }

  /** Gives a block back. `sizeBytes` is what it was allocated with, or another size of the same class. */
  free(address: number, sizeBytes: number): void {
    const slab = address >>> SLAB_SHIFT;
    const sizeClass = this.#slabClass[slab];
    assertInvariant(sizeClass === sizeClassOf(sizeBytes), "a block is freed with a foreign size");
    const used = this.#slabUsed[slab];
    assertInvariant(used > 0, "a block is freed in an unused slab");
    this.#slabUsed[slab] = used - 1;
    if (used === CLASS_BLOCKS[sizeClass]) {
      this.#open(slab, sizeClass);
    }
    if (used === 1) {
      this.#close(slab, sizeClass);
      this.#releaseSlab(slab);
      return;
    }
    this.words[address >>> CHUNK_SHIFT][(address & UNIT_MASK) << 1] = this.#slabFree[slab]!;
    this.#slabFree[slab] = address;
  }

  /**
   * Throws when the books contradict themselves or `blocks`, the address and size of every block in use. For tests.
   */
  checkInvariants(blocks: ReadonlyMap<number, number>): void {
    const usedBySlab = new Map<number, number>();
    for (const [address, sizeBytes] of blocks) {
      const slab = address >>> SLAB_SHIFT;
      const sizeClass = this.#slabClass[slab];
      assertInvariant(
        sizeClass === sizeClassOf(sizeBytes),
        "an entry lies in a slab of another class",
      );
      const offset = (address & SLAB_MASK) * 8;
      assertInvariant(offset % CLASS_BYTES[sizeClass] === 0, "an entry lies between two blocks");
      const block = offset / CLASS_BYTES[sizeClass];
      assertInvariant(block < this.#slabFresh[slab], "an entry lies in a block never given out");
      usedBySlab.set(slab, (usedBySlab.get(slab) ?? 0) + 1);
    }
    let slabsInUse = 0;
    for (let slab = SLABS_PER_CHUNK; slab < this.buffers.length * SLABS_PER_CHUNK; slab += 1) {
      const used = this.#slabUsed[slab];
      assertInvariant(used === (usedBySlab.get(slab) ?? 0), "a slab's count of blocks is wrong");
      slabsInUse += used > 0 ? 1 : 0;
      this.#checkFreeBlocks(slab, blocks);
    }
    assertInvariant(slabsInUse === this.#slabsInUse, "the count of slabs in use is wrong");
  }

  #checkFreeBlocks(slab: number, blocks: ReadonlyMap<number, number>): void {
    const isFree =
      (this.#freeSlabs[Math.floor(slab / SLABS_PER_CHUNK)] >>> (slab % SLABS_PER_CHUNK)) & 1;
    const used = this.#slabUsed[slab];
    if (used === 0) {
      const exists = this.buffers[Math.floor(slab / SLABS_PER_CHUNK)].length > 0;
      assertInvariant((isFree === 1) === exists, "an unused slab is not free");
      return;
    }
    assertInvariant(isFree === 0, "a slab in use is free");
    let free = 0;
    let address = this.#slabFree[slab];
    while (address !== 0) {
      assertInvariant(address >>> SLAB_SHIFT === slab, "a free list leaves its slab");
      assertInvariant(!blocks.has(address), "a block is in use and free");
      free += 1;
      assertInvariant(free <= CLASS_BLOCKS[this.#slabClass[slab]], "a free list is a loop");
      address = this.words[address >>> CHUNK_SHIFT][(address & UNIT_MASK) << 1]!;
    }
    assertInvariant(free + used === this.#slabFresh[slab], "a block is neither used nor free");
  }

  #takeSlab(sizeClass: number): number {
    let chunk = this.#lowestOpenChunk;
    while (chunk < this.#freeSlabs.length && this.#freeSlabs[chunk] === 0) {
      chunk += 1;
    }
    if (chunk === this.#freeSlabs.length) {
      chunk = this.#addChunk();
    }
    this.#lowestOpenChunk = chunk;
    const free = this.#freeSlabs[chunk];
    if (free === ALL_SLABS_FREE) {
      this.#emptyChunks -= 1;
    }
    const inChunk = 31 - Math.clz32(free & -free);
    this.#freeSlabs[chunk] = free & (free - 1);
    const slab = chunk * SLABS_PER_CHUNK + inChunk;
    this.#slabClass[slab] = sizeClass;
    this.#slabUsed[slab] = 0;
    this.#slabFresh[slab] = 0;
    this.#slabFree[slab] = 0;
    this.#slabsInUse += 1;
    this.#open(slab, sizeClass);
    return slab;
  }

  #releaseSlab(slab: number): void {
    const chunk = Math.floor(slab / SLABS_PER_CHUNK);
    this.#slabsInUse -= 1;
    const free = this.#freeSlabs[chunk] | (1 << (slab % SLABS_PER_CHUNK));
    this.#freeSlabs[chunk] = free;
    if (chunk < this.#lowestOpenChunk) {
      this.#lowestOpenChunk = chunk;
    }
    if (free !== ALL_SLABS_FREE) {
      return;
    }
    if (this.#emptyChunks > 0) {
      this.#dropChunk(chunk);
    } else {
      this.#emptyChunks = 1;
    }
  }

  #dropChunk(chunk: number): void {
    this.buffers[chunk] = this.buffers[0]!;
    this.words[chunk] = this.words[0]!;
    this.#freeSlabs[chunk] = 0;
    this.#chunkCount -= 1;
  }

  #addChunk(): number {
    let chunk = 1;
    while (chunk < this.buffers.length && this.buffers[chunk].length > 0) {
      chunk += 1;
    }
    if (chunk > this.#chunksMax) {
      throw new KeyspaceError(
        "ARENA_FULL",
        `the keyspace holds ${this.#chunksMax} chunks, its limit`,
      );
    }
    const memory = new ArrayBuffer(CHUNK_BYTES);
    this.buffers[chunk] = Buffer.from(memory);
    this.words[chunk] = new Uint32Array(memory);
    this.#freeSlabs[chunk] = ALL_SLABS_FREE;
    this.#chunkCount += 1;
    this.#emptyChunks += 1;
    this.#growBooks((chunk + 1) * SLABS_PER_CHUNK);
    return chunk;
  }

  #growBooks(slabs: number): void {
    if (slabs <= this.#slabClass.length) {
      return;
    }
    const length = Math.max(slabs, this.#slabClass.length * 2);
    this.#slabClass = grown(this.#slabClass, new Uint8Array(length));
    this.#slabUsed = grown(this.#slabUsed, new Uint16Array(length));
    this.#slabFresh = grown(this.#slabFresh, new Uint16Array(length));
    this.#slabFree = grown(this.#slabFree, new Uint32Array(length));
    this.#slabNext = grown(this.#slabNext, new Uint32Array(length));
    this.#slabPrevious = grown(this.#slabPrevious, new Uint32Array(length));
  }

  /** Puts a slab with a free block at the head of its class. */
  #open(slab: number, sizeClass: number): void {
    const head = this.#openSlab[sizeClass];
    this.#slabNext[slab] = head;
    this.#slabPrevious[slab] = 0;
    if (head !== 0) {
      this.#slabPrevious[head] = slab;
    }
    this.#openSlab[sizeClass] = slab;
  }

  #close(slab: number, sizeClass: number): void {
    const next = this.#slabNext[slab];
    const previous = this.#slabPrevious[slab];
    if (previous === 0) {
      this.#openSlab[sizeClass] = next;
    } else {
      this.#slabNext[previous] = next;
    }
    if (next !== 0) {
      this.#slabPrevious[next] = previous;
    }
  }
}

function grown<T extends Uint8Array | Uint16Array | Uint32Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
