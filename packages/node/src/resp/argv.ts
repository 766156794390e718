/**
 * The arguments of one command as ranges of one buffer: nothing is copied and nothing becomes a string until a
 * command asks for it. One instance is reused for all commands of a reader; whoever keeps arguments copies them.
 *
 *   buffer  *3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n
 *                     ^  ^        ^ ^      ^ ^
 *                starts[0] ends[0] ...
 */
export class Argv {
  buffer: Buffer = EMPTY;
  count = 0;
  starts: Int32Array = new Int32Array(16);
  ends: Int32Array = new Int32Array(16);

  /** Begins a new command in `buffer`. */
  reset(buffer: Buffer): void {
    this.buffer = buffer;
    this.count = 0;
  }

  push(start: number, end: number): void {
    const at = this.count;
    if (at === this.starts.length) this.#grow();
    this.starts[at] = start;
    this.ends[at] = end;
    this.count = at + 1;
  }

  length(index: number): number {
    return this.ends[index] - this.starts[index];
  }

  /** A view, valid as long as the buffer is. */
  bytes(index: number): Buffer {
    return this.buffer.subarray(this.starts[index], this.ends[index]);
  }

  /** Bytes as latin1: lossless, and equal text means equal bytes. */
  latin1(index: number): string {
    return this.buffer.toString("latin1", this.starts[index], this.ends[index]);
  }

  utf8(index: number): string {
    return this.buffer.toString("utf8", this.starts[index], this.ends[index]);
  }

  /** Case-insensitive comparison with an upper-case ASCII word, without allocation. */
  isWord(index: number, upper: string): boolean {
    const start = this.starts[index];
    const length = this.ends[index] - start;
    if (length !== upper.length) return false;
    for (let offset = 0; offset < length; offset++) {
      let code = this.buffer[start + offset];
      if (code >= 0x61 && code <= 0x7a) code -= 0x20;
      if (code !== upper.charCodeAt(offset)) return false;
    }
    return true;
  }

  #grow(): void {
    const starts = new Int32Array(this.starts.length * 2);
    starts.set(this.starts);
    this.starts = starts;
    const ends = new Int32Array(this.ends.length * 2);
    ends.set(this.ends);
    this.ends = ends;
  }
}

const EMPTY: Buffer = Buffer.alloc(0);
