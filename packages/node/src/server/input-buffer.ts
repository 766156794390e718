/**
 * Bytes of one client that could not be decoded yet: the tail of an unfinished request, or everything behind a command
 * that has to wait.
 *
 *   | consumed | waiting to be decoded | room |
 *   0        start                    end    capacity
 *
 * An idle client holds none: the memory goes with the last byte.
 */
export class InputBuffer {
  bytes: Buffer = EMPTY;
  start = 0;
  end = 0;

  get length(): number {
    return this.end - this.start;
  }

  /** Memory held, for CLIENT LIST. */
  get capacityBytes(): number {
    return this.bytes.length;
  }

  /**
   * Copies `buffer[from, to)` to the end. `expectedBytes` is what the unfinished request will need in all: the memory is
   * sized for it at once as far as bytes really sent justify it, so that a claim alone costs nothing.
   */
  append(buffer: Buffer, range: { from: number; to: number }, expectedBytes: number): void {
    const added = range.to - range.from;
    if (this.end + added > this.bytes.length) this.#makeRoom(added, expectedBytes);
    buffer.copy(this.bytes, this.end, range.from, range.to);
    this.end += added;
  }

  /** Forgets the bytes before `position`, an offset in `bytes`. */
  consumeTo(position: number): void {
    this.start = position;
    if (position === this.end) this.clear();
  }

  clear(): void {
    this.bytes = EMPTY;
    this.start = 0;
    this.end = 0;
  }

  #makeRoom(added: number, expectedBytes: number): void {
    const length = this.length;
    const needed = length + added;
    if (needed <= this.bytes.length && this.start >= this.bytes.length / 2) {
      this.bytes.copy(this.bytes, 0, this.start, this.end);
    } else {
      const next = Buffer.allocUnsafe(grownSize(needed, expectedBytes));
      this.bytes.copy(next, 0, this.start, this.end);
      this.bytes = next;
    }
    this.start = 0;
    this.end = length;
  }
}

/** Doubling, without going over what the request will need, and at once to that when it is small. */
function grownSize(neededBytes: number, expectedBytes: number): number {
  const trusted = Math.max(neededBytes * 2, EXPECTED_BYTES_TRUSTED);
  return Math.max(neededBytes, Math.min(expectedBytes, trusted), CAPACITY_BYTES_MIN);
}

const EMPTY: Buffer = Buffer.alloc(0);
const CAPACITY_BYTES_MIN = 512;
/** Up to here memory is given on a client's word. */
const EXPECTED_BYTES_TRUSTED = 32 * 1024;
