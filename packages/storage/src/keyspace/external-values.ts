/**
 * Keys and values too long for a block: each has a Buffer of its own, named by a number that the entry holds.
 *
 * A Buffer here may also be held by a snapshot that has not written it yet; it is then never changed in place, but
 * replaced (see `snapshot-writer.ts`).
 */
import { assertInvariant } from "./errors.ts";

/** What the engine needs for a Buffer besides its bytes, and the slot in the table; measured on Node 22. */
export const EXTERNAL_OVERHEAD_BYTES = 200;

const EMPTY = Buffer.alloc(0);

export class ExternalValues {
  /** By id; 0 is never given out, a free id holds an empty Buffer. */
  readonly buffers: Buffer[] = [EMPTY];
  #freeIds: number[] = [];
  #usedBytes = 0;
  #count = 0;

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Makes a Buffer of undefined content and returns its id. */
  allocate(capacityBytes: number): number {
    return this.adopt(Buffer.allocUnsafeSlow(capacityBytes));
  }

  /** Takes a Buffer that nobody else changes and returns its id. */
  adopt(buffer: Buffer): number {
    const id = this.#freeIds.pop() ?? this.buffers.length;
    this.buffers[id] = buffer;
    this.#usedBytes += buffer.length + EXTERNAL_OVERHEAD_BYTES;
    this.#count += 1;
    return id;
  }

  free(id: number): void {
    const buffer = this.buffers[id];
    assertInvariant(id !== 0 && buffer.length > 0, "an external value is freed twice");
    this.#usedBytes -= buffer.length + EXTERNAL_OVERHEAD_BYTES;
    this.#count -= 1;
    this.buffers[id] = EMPTY;
    if (this.#count === 0) {
      this.buffers.length = 1;
      this.#freeIds = [];
    } else {
      this.#freeIds.push(id);
    }
  }

  /** Throws when the books do not match `ids`, all that are in use. For tests. */
  checkInvariants(ids: ReadonlySet<number>): void {
    let usedBytes = 0;
    for (const id of ids) {
      assertInvariant(this.buffers[id].length > 0, "an entry names a freed external value");
      usedBytes += this.buffers[id].length + EXTERNAL_OVERHEAD_BYTES;
    }
    assertInvariant(ids.size === this.#count, "an external value belongs to no entry");
    assertInvariant(
      usedBytes === this.#usedBytes,
      "the bytes of external values are counted wrong",
    );
  }
}
