/**
 * Bytes a snapshot has still to write: a queue of ranges. Short pieces are copied into pages; long values are not
 * copied but held, and whoever wants to change such a Buffer in place has to ask `holds` first.
 */
import type { SnapshotBytes } from "./api.ts";
import { copyBytes } from "./copy-bytes.ts";

const PAGE_BYTES: number = 64 * 1024;
const NO_PAGE = Buffer.alloc(0);

interface Range {
  readonly buffer: Buffer;
  start: number;
  end: number;
  readonly held: boolean;
}

export class SavedImages {
  /** What is written is set to null at once, so that its memory goes. */
  #queue: (Range | null)[] = [];
  #first = 0;
  #page: Buffer = NO_PAGE;
  #pageUsed = 0;
  readonly #held: Set<Buffer> = new Set();
  #bytes = 0;

  get isEmpty(): boolean {
    return this.#first === this.#queue.length;
  }

  /** Bytes copied and not yet written, and the whole of Buffers that are held. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether `buffer` must not be changed in place. */
  holds(buffer: Buffer): boolean {
    return this.#held.has(buffer);
  }

  /** Queues a copy of `buffer[start, end)`. */
  copy(buffer: Uint8Array, start: number, end: number): void {
    let from = start;
    while (from < end) {
      if (this.#pageUsed === this.#page.length) {
        this.#page = Buffer.allocUnsafeSlow(PAGE_BYTES);
        this.#pageUsed = 0;
      }
      const length = Math.min(end - from, this.#page.length - this.#pageUsed);
      copyBytes(buffer, from, from + length, this.#page, this.#pageUsed);
      this.#pushCopied(length);
      from += length;
    }
  }

  /** Queues `buffer[0, end)` without copying it. The Buffer stays as it is until it is written. */
  hold(buffer: Buffer, end: number): void {
    if (end > 0) {
      this.#queue.push({ buffer, start: 0, end, held: true });
      this.#held.add(buffer);
      this.#bytes += buffer.length;
    }
  }

  /** Writes until `out` has `bytesMax` bytes or all is written; true when all is. */
  drain(out: SnapshotBytes, bytesMax: number): boolean {
    while (!this.isEmpty) {
      const range = this.#queue[this.#first]!;
      const room = bytesMax - out.length;
      if (room <= 0) {
        return false;
      }
      const start = range.start;
      range.start = Math.min(range.end, start + room);
      out.append(range.buffer, start, range.start);
      this.#bytes -= range.held ? 0 : range.start - start;
      if (range.start === range.end) {
        this.#queue[this.#first] = null;
        this.#first += 1;
        this.#letGo(range);
      }
    }
    this.#queue.length = 0;
    this.#first = 0;
    // What was copied is written: the page serves again.
    this.#pageUsed = 0;
    return true;
  }

  /** Forgets all. */
  drop(): void {
    this.#queue.length = 0;
    this.#first = 0;
    this.#page = NO_PAGE;
    this.#pageUsed = 0;
    this.#held.clear();
    this.#bytes = 0;
  }

  #letGo(range: Range): void {
    if (range.held) {
      this.#held.delete(range.buffer);
      this.#bytes -= range.buffer.length;
    }
  }

  #pushCopied(length: number): void {
    const last = this.isEmpty ? null : this.#queue[this.#queue.length - 1]!;
    const start = this.#pageUsed;
    this.#pageUsed += length;
    this.#bytes += length;
    if (last !== null && last.buffer === this.#page && last.end === start) {
      last.end = this.#pageUsed;
    } else {
      this.#queue.push({ buffer: this.#page, start, end: this.#pageUsed, held: false });
    }
  }
}
