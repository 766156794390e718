/**
 * Commands that may not run yet because writes before them on the same connection are unanswered. Each is kept as its
 * bytes and the number of the write it has to wait for; an error answer that has to keep its place is kept as text.
 *
 *   pipeline     SET a   GET a   SET b   GET b         (writes 1 and 2 are on their way at once)
 *   queue                [1|GET a]       [2|GET b]
 */
export class DeferredQueue {
  #bytes: Buffer = EMPTY;
  #used = 0;
  /** Four numbers a command: the write it follows, start, end, kind. */
  #records: number[] = [];
  #head = 0;

  /** Commands that wait. */
  get length(): number {
    return (this.#records.length - this.#head) / RECORD_FIELDS;
  }

  /** Bytes kept, those of commands that ran since the queue was last empty included. */
  get usedBytes(): number {
    return this.#used;
  }

  /** The bytes of all commands; ranges are valid until the next push or until the queue is empty. */
  get bytes(): Buffer {
    return this.#bytes;
  }

  /** Number of the write that the oldest command follows. Only when `length` > 0. */
  get headAfterWrite(): number {
    return this.#records[this.#head];
  }

  get headStart(): number {
    return this.#records[this.#head + 1];
  }

  get headEnd(): number {
    return this.#records[this.#head + 2];
  }

  get headIsError(): boolean {
    return this.#records[this.#head + 3] === KIND_ERROR;
  }

  /** Copies the request `buffer[start, end)` to the end of the queue. */
  pushCommand(afterWrite: number, buffer: Buffer, range: { start: number; end: number }): void {
    this.#push(afterWrite, buffer, range, KIND_COMMAND);
  }

  /** An error answer in its place. */
  pushError(afterWrite: number, text: string): void {
    const bytes = Buffer.from(text, "latin1");
    this.#push(afterWrite, bytes, { start: 0, end: bytes.length }, KIND_ERROR);
  }

  /** Removes the oldest. Its bytes stay readable until the next push. */
  shift(): void {
    this.#head += RECORD_FIELDS;
    if (this.#head === this.#records.length) {
      this.#records = this.#head > RECORDS_KEPT_MAX ? [] : this.#records;
      this.#records.length = 0;
      this.#head = 0;
      this.#used = 0;
      if (this.#bytes.length > BYTES_KEPT_MAX) this.#bytes = EMPTY;
    } else if (this.#head >= RECORDS_KEPT_MAX && this.#head * 2 >= this.#records.length) {
      this.#records.splice(0, this.#head);
      this.#head = 0;
    }
  }

  clear(): void {
    this.#records = [];
    this.#head = 0;
    this.#used = 0;
    this.#bytes = EMPTY;
  }

  #push(
    afterWrite: number,
    buffer: Buffer,
    range: { start: number; end: number },
    kind: number,
  ): void {
    const length = range.end - range.start;
    const start = this.#used;
    if (start + length > this.#bytes.length) this.#grow(start + length);
    buffer.copy(this.#bytes, start, range.start, range.end);
    this.#used = start + length;
    this.#records.push(afterWrite, start, start + length, kind);
  }

  #grow(needed: number): void {
    const next = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2, BYTES_MIN));
    this.#bytes.copy(next, 0, 0, this.#used);
    this.#bytes = next;
  }
}

const EMPTY: Buffer = Buffer.alloc(0);
const RECORD_FIELDS = 4;
const KIND_COMMAND = 0;
const KIND_ERROR = 1;
const BYTES_MIN = 512;
/** Memory kept by an empty queue, so that a steady pipeline does not allocate. */
const BYTES_KEPT_MAX = 4 * 1024;
const RECORDS_KEPT_MAX = 1024;
