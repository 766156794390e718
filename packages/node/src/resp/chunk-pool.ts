/**
 * Buffers for answers, lent out and given back, so that answering does not allocate. Sizes are powers of two; a few
 * of each size are kept, and what is too large to be worth keeping is left to the collector.
 */

/**
 * Bytes of the smallest chunk: answers of ordinary size. When a batch of writes is applied every client that waits for
 * one holds a chunk at the same time, so it has to be small: hundreds of large ones would not stay in the processor's
 * cache, nor in the pool.
 */
export const CHUNK_BYTES_MIN: number = 1024;
/** Bytes of the largest chunk that is kept. */
const CHUNK_BYTES_KEPT_MAX = 1024 * 1024;
/** Bytes kept per size. */
const KEPT_BYTES_PER_SIZE = 2 * 1024 * 1024;

export class ChunkPool {
  readonly #free = new Map<number, Buffer[]>();

  /** A chunk of at least `bytes` bytes with old contents. */
  acquire(bytes: number): Buffer {
    const size = chunkSize(bytes);
    return this.#free.get(size)?.pop() ?? Buffer.allocUnsafeSlow(size);
  }

  /** Takes back a chunk, or a view that starts where its chunk starts, once nobody reads it any more. */
  release(view: Buffer): void {
    const size = view.buffer.byteLength;
    if (view.byteOffset !== 0 || size > CHUNK_BYTES_KEPT_MAX || size !== chunkSize(size)) return;
    let free = this.#free.get(size);
    if (free === undefined) this.#free.set(size, (free = []));
    if ((free.length + 1) * size > KEPT_BYTES_PER_SIZE) return;
    free.push(view.length === size ? view : Buffer.from(view.buffer, 0, size));
  }

  /** Bytes waiting to be lent. */
  get freeBytes(): number {
    let total = 0;
    for (const [size, free] of this.#free) total += size * free.length;
    return total;
  }
}

function chunkSize(bytes: number): number {
  let size = CHUNK_BYTES_MIN;
  while (size < bytes) size *= 2;
  return size;
}
