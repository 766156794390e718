/**
 * Writes answers as RESP2 or RESP3 into one growing buffer per client. Nothing is allocated per answer: integers are
 * written digit by digit, bytes are copied straight from where they are stored.
 *
 * The buffer is borrowed from a pool with the first byte and handed over whole for one socket write; an idle client
 * holds none.
 */
import { formatDouble } from "./double.ts";
import { CHUNK_BYTES_MIN, ChunkPool } from "./chunk-pool.ts";
import type { Reply } from "./reply.ts";

export { SilentReply } from "./silent-reply.ts";

const CARRIAGE_RETURN = 0x0d;
const LINE_FEED = 0x0a;
const SPACE = 0x20;
const PLUS = 0x2b;
const MINUS = 0x2d;
const ZERO = 0x30;
const COLON = 0x3a;
const DOLLAR = 0x24;
const STAR = 0x2a;
const PERCENT = 0x25;
const TILDE = 0x7e;
const GREATER = 0x3e;
const COMMA = 0x2c;
const HASH = 0x23;
const EQUALS = 0x3d;
const UNDERSCORE = 0x5f;

/** Type byte, 20 digits with a sign, line end. */
const HEADER_BYTES_MAX = 24;
/** Up to here the buffer grows fourfold: the answers of a pipeline are copied twice at most. */
const STEEP_GROWTH_BYTES_MAX = 16 * 1024;
/** Up to here a copy byte by byte is faster than a call into the runtime (measured: 15 ns a call, 1 ns a byte). */
const LOOP_COPY_BYTES_MAX = 12;

const EMPTY: Buffer = Buffer.alloc(0);

export class RespReply implements Reply {
  protocol: 2 | 3 = 2;

  /** A limit was passed: what was answered is dropped, the client can not be served any more. */
  hasOverflowed = false;
  readonly #pool: ChunkPool;
  readonly #bytesMax: () => number;
  #buffer: Buffer = EMPTY;
  #length = 0;
  #capacity = 0;

  /** `bytesMax`: bytes that may wait, asked for when much does. One command can ask for more than there is memory. */
  constructor(pool: ChunkPool = new ChunkPool(), bytesMax: () => number = () => Infinity) {
    this.#pool = pool;
    this.#bytesMax = bytesMax;
  }

  /** Bytes waiting to be taken. */
  get pendingBytes(): number {
    return this.#length;
  }

  /**
   * All that was answered since the last call, for one socket write. The bytes belong to the caller, who gives them
   * back to the pool when they are sent.
   */
  takePending(): Buffer {
    const taken = this.#buffer.subarray(0, this.#length);
    this.#buffer = EMPTY;
    this.#capacity = 0;
    this.#length = 0;
    return taken;
  }

  /**
   * The same bytes, still owned by this reply: for a socket that takes them at once, after which `discard` makes room. No
   * answer may be added between.
   */
  peekPending(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  /** Where the next answer will start; see `truncate`. */
  mark(): number {
    return this.#length;
  }

  /** Drops what was answered since `mark` (CLIENT REPLY SKIP, an answer given up half-way). Not across `takePending`. */
  truncate(mark: number): void {
    if (mark < this.#length) this.#length = mark;
    if (this.#length === 0) this.discard();
  }

  /** Drops all pending bytes and returns the buffer to the pool. */
  discard(): void {
    if (this.#capacity > 0) this.#pool.release(this.#buffer);
    this.#buffer = EMPTY;
    this.#capacity = 0;
    this.#length = 0;
  }

  ok(): void {
    this.#reserve(5);
    const buffer = this.#buffer;
    const at = this.#length;
    buffer[at] = PLUS;
    buffer[at + 1] = 0x4f;
    buffer[at + 2] = 0x4b;
    buffer[at + 3] = CARRIAGE_RETURN;
    buffer[at + 4] = LINE_FEED;
    this.#length = at + 5;
  }

  simple(text: string): void {
    this.#line(PLUS, text);
  }

  error(text: string): void {
    this.#line(MINUS, text, lengthWithoutLineEnd(text));
  }

  integer(value: number | bigint): void {
    if (typeof value === "bigint") this.#line(COLON, value.toString());
    else this.#header(COLON, value);
  }

  bulk(bytes: Uint8Array): void {
    this.bulkRange(bytes, 0, bytes.length);
  }

  bulkRange(buffer: Uint8Array, start: number, end: number): void {
    if (this.hasOverflowed) return;
    const length = end - start;
    this.#reserve(length + HEADER_BYTES_MAX + 2);
    this.#header(DOLLAR, length);
    const out = this.#buffer;
    let at = this.#length;
    if (length <= LOOP_COPY_BYTES_MAX) {
      for (let from = start; from < end; from++) out[at++] = buffer[from]!;
    } else {
      // Buffer's copy makes no view on the way, which `set` of a `subarray` would.
      Buffer.prototype.copy.call(buffer, out, at, start, end);
      at += length;
    }
    out[at] = CARRIAGE_RETURN;
    out[at + 1] = LINE_FEED;
    this.#length = at + 2;
  }

  bulkText(text: string): void {
    const length = Buffer.byteLength(text);
    this.#reserve(length + HEADER_BYTES_MAX + 2);
    this.#header(DOLLAR, length);
    this.#length += this.#buffer.write(text, this.#length, length, "utf8");
    this.#lineEnd();
  }

  nullBulk(): void {
    if (this.protocol === 3) this.#null3();
    else this.#header(DOLLAR, -1);
  }

  nullArray(): void {
    if (this.protocol === 3) this.#null3();
    else this.#header(STAR, -1);
  }

  array(length: number): void {
    this.#header(STAR, length);
  }

  map(pairs: number): void {
    if (this.protocol === 3) this.#header(PERCENT, pairs);
    else this.#header(STAR, pairs * 2);
  }

  set(length: number): void {
    this.#header(this.protocol === 3 ? TILDE : STAR, length);
  }

  push(length: number): void {
    this.#header(this.protocol === 3 ? GREATER : STAR, length);
  }

  double(value: number): void {
    const text = formatDouble(value);
    if (this.protocol === 3) this.#line(COMMA, text);
    else this.bulkText(text);
  }

  boolean(value: boolean): void {
    if (this.protocol === 3) this.#line(HASH, value ? "t" : "f");
    else this.#header(COLON, value ? 1 : 0);
  }

  verbatim(format: "txt" | "mkd", text: string | Uint8Array): void {
    const bytes = typeof text === "string" ? Buffer.from(text) : text;
    if (this.protocol === 2) {
      this.bulk(bytes);
      return;
    }
    this.#reserve(bytes.length + HEADER_BYTES_MAX + 6);
    this.#header(EQUALS, bytes.length + 4);
    this.#length += this.#buffer.write(`${format}:`, this.#length, 4, "latin1");
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
    this.#lineEnd();
  }

  /** Bytes that are RESP already, e.g. an answer another node built. */
  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #null3(): void {
    this.#reserve(3);
    this.#buffer[this.#length] = UNDERSCORE;
    this.#length += 1;
    this.#lineEnd();
  }

  /** A type byte, an integer, a line end. */
  #header(type: number, value: number): void {
    this.#reserve(HEADER_BYTES_MAX);
    const buffer = this.#buffer;
    let at = this.#length;
    buffer[at++] = type;
    let rest = value;
    if (rest < 0) {
      buffer[at++] = MINUS;
      rest = -rest;
    }
    if (rest < 10) {
      buffer[at++] = ZERO + rest;
    } else {
      at += countDigits(rest);
      let digit = at;
      while (rest > 0x3fffffff) {
        const next = Math.floor(rest / 10);
        buffer[--digit] = ZERO + (rest - next * 10);
        rest = next;
      }
      let small = rest | 0;
      while (small > 0) {
        const next = (small / 10) | 0;
        buffer[--digit] = ZERO + (small - next * 10);
        small = next;
      }
    }
    buffer[at] = CARRIAGE_RETURN;
    buffer[at + 1] = LINE_FEED;
    this.#length = at + 2;
  }

  /** A type byte, a text without line ends, a line end. */
  #line(type: number, text: string, length: number = text.length): void {
    this.#reserve(length + 3);
    const buffer = this.#buffer;
    let at = this.#length;
    buffer[at++] = type;
    for (let index = 0; index < length; index++) {
      const code = text.charCodeAt(index);
      // A line end in a text would let one answer forge the next (CVE-2025-67733).
      const isLineEnd = code === CARRIAGE_RETURN || code === LINE_FEED;
      buffer[at++] = isLineEnd ? SPACE : code > 0xff ? 0x3f : code;
    }
    this.#length = at;
    this.#lineEnd();
  }

  /** The caller has reserved the room. */
  #lineEnd(): void {
    this.#buffer[this.#length] = CARRIAGE_RETURN;
    this.#buffer[this.#length + 1] = LINE_FEED;
    this.#length += 2;
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#capacity) return;
    if (this.#length + bytes > CHUNK_BYTES_MIN && this.#length + bytes > this.#bytesMax()) {
      this.hasOverflowed = true;
      this.discard();
    }
    if (this.#length + bytes > this.#capacity) this.#grow(this.#length + bytes);
  }

  #grow(bytes: number): void {
    const old = this.#buffer;
    const growth = this.#capacity < STEEP_GROWTH_BYTES_MAX ? 4 : 2;
    const next = this.#pool.acquire(Math.max(bytes, this.#capacity * growth));
    if (this.#length > 0) old.copy(next, 0, 0, this.#length);
    if (this.#capacity > 0) this.#pool.release(old);
    this.#buffer = next;
    this.#capacity = next.length;
  }
}

/** Redis cuts line ends off an error before it turns the others into spaces. */
function lengthWithoutLineEnd(text: string): number {
  let length = text.length;
  while (length > 0) {
    const code = text.charCodeAt(length - 1);
    if (code !== CARRIAGE_RETURN && code !== LINE_FEED) break;
    length--;
  }
  return length;
}

function countDigits(value: number): number {
  let digits = 1;
  let bound = 10;
  while (value >= bound) {
    bound *= 10;
    digits++;
  }
  return digits;
}
