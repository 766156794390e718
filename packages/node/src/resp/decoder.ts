/**
 * Reads requests out of a buffer: offsets only, no copies, no strings.
 *
 *   multibulk   *2\r\n $3\r\nGET\r\n $1\r\nk\r\n          what clients send
 *   inline      GET "a key"\r\n                           what people type
 *
 * A request may arrive in any number of pieces. The decoder keeps what it knows of the unfinished one as distances
 * from its first byte, so that the bytes may move to another buffer between two calls, and no byte is looked at
 * twice, however small the pieces. One decoder per connection; the `Argv` may be shared by all.
 *
 * A large request that is not here yet can be refused by its first arguments (`gate`): the rest of it is then skipped as
 * it comes, without being kept, and the next request is found behind it.
 */
import { Argv } from "./argv.ts";
import { splitInline } from "./inline.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import type { DecoderLimits } from "./limits.ts";
import type { RequestGate } from "./request-gate.ts";

/** The request is not complete: call again with the same first byte and more behind it. */
export const NEED_MORE = -1;
/** The stream makes no sense: answer `errorText`, close the connection. The decoder is of no further use. */
export const PROTOCOL_ERROR = -2;

const CARRIAGE_RETURN = 0x0d;
const LINE_FEED = 0x0a;
const STAR = 0x2a;
const DOLLAR = 0x24;

/** A line is not complete, and the line is wrong: both outside of what a line can say (-2^53 < n). */
const LINE_INCOMPLETE = -Infinity;
const LINE_INVALID = Infinity;
/** Digits read in the first pass; longer lines take the careful way. */
const FAST_DIGITS_MAX = 15;
/** An unfinished request with more arguments than this gives its bookkeeping back when it is done. */
const PARTIAL_ARGUMENTS_KEPT = 1024;

export class Decoder {
  /** May be changed, or shared and changed, at any time; applies from the next line read. */
  limits: Readonly<DecoderLimits>;
  /** False holds the request to the limits for strangers (S20). */
  authenticated = true;

  /** Asked before much of a request is kept; null keeps everything. */
  gate: RequestGate | null = null;

  /** Protocol error for the client, without the leading `-`. */
  #errorText = "";
  /** What the gate said of the request that is skipped; null when it was not told yet or is no news. */
  #refusalText: string | null = null;
  /** The gate was asked about the unfinished request, and let it through. */
  #isJudged = false;
  /** Arguments of the refused request still to come, the one being skipped included. */
  #skippedArguments = 0;
  /** Bytes still to come of the one being skipped, its line end included; 0 when its `$n` line was not read. */
  #skippedBytes = 0;
  #isInline = false;
  #requiredBytes = 0;

  /** Of the unfinished request, from its first byte: where the next line or argument starts. 0 = nothing known. */
  #position = 0;
  /** Arguments still to come; -1 when the `*n` line was not read. */
  #remaining = -1;
  /** Bytes of the argument being read; -1 when its `$n` line was not read. */
  #bulkLength = -1;
  /** Bytes of the current line that hold no line end, from the start of the line. */
  #scanned = 0;
  /** Arguments of the unfinished request, as distances from its first byte. */
  #partial: Argv | null = null;
  /** Where the line just read ends, its line end included. */
  #lineEnd = 0;

  constructor(limits: Readonly<DecoderLimits> = DEFAULT_LIMITS) {
    this.limits = limits;
  }

  /** What to answer after PROTOCOL_ERROR, as given to `Reply.error`. */
  get errorText(): string {
    return this.#errorText;
  }

  /**
   * Whether the last complete request was inline: its bytes are not RESP, encode `argv` (multibulk.ts) before they go
   * to the log.
   */
  get isInline(): boolean {
    return this.#isInline;
  }

  /**
   * After NEED_MORE: the least number of bytes the whole request has, from its first byte. Exact for an argument that
   * is on its way, so that a buffer can be sized once for it. Bounded by the limits, never by what a client claims.
   */
  get requiredBytes(): number {
    return this.#requiredBytes;
  }

  /**
   * Not null right after `decode` has returned a request that the gate refused: what to answer in its place. `argv` holds
   * the arguments that are here; they are not to be run.
   */
  get refusalText(): string | null {
    return this.#refusalText;
  }

  /** Whether the rest of a refused request is on its way. */
  get isSkipping(): boolean {
    return this.#skippedArguments > 0;
  }

  /** Forgets an unfinished request. */
  reset(): void {
    this.#isJudged = false;
    this.#skippedArguments = 0;
    this.#skippedBytes = 0;
    this.#position = 0;
    this.#remaining = -1;
    this.#bulkLength = -1;
    this.#scanned = 0;
    this.#requiredBytes = 0;
    const partial = this.#partial;
    if (partial !== null) {
      if (partial.starts.length > PARTIAL_ARGUMENTS_KEPT) this.#partial = null;
      else partial.count = 0;
    }
  }

  /**
   * Reads the request whose first byte is `buffer[from]`, knowing the bytes before `to`.
   *
   * Returns where it ends (the next one starts there), or NEED_MORE, or PROTOCOL_ERROR. A request without arguments
   * (`*0`, an empty line) leaves `argv.count` at 0 and is to be skipped without an answer. `argv` refers to `buffer`,
   * except for an inline request with quotes, which has a buffer of its own.
   *
   * A request that the gate refuses "ends" where its bytes do for now, with `refusalText` set; what comes of it later is
   * returned as requests without arguments.
   */
  decode(buffer: Buffer, from: number, to: number, argv: Argv): number {
    this.#refusalText = null;
    if (from >= to) {
      this.#requiredBytes = 1;
      return NEED_MORE;
    }
    if (this.#skippedArguments > 0) return this.#skip(buffer, from, to, argv);
    if (buffer[from] === STAR) return this.#decodeMultibulk(buffer, from, to, argv);
    return this.#decodeInline(buffer, from, to, argv);
  }

  #decodeMultibulk(buffer: Buffer, from: number, to: number, argv: Argv): number {
    let at = from + this.#position;
    let remaining = this.#remaining;
    let bulkLength = this.#bulkLength;
    const resumed = remaining >= 0;
    this.#isInline = false;

    if (!resumed) {
      const count = this.#readLine(buffer, from, to, "mbulk");
      if (count === LINE_INCOMPLETE)
        return this.#suspend(from, { at: from, remaining, bulkLength });
      if (count === LINE_INVALID) return PROTOCOL_ERROR;
      if (!this.#acceptCount(count)) return PROTOCOL_ERROR;
      remaining = count > 0 ? count : 0;
      at = this.#lineEnd;
    }

    // Straight into the caller's arguments when all is here at once; else into those kept between calls.
    let target = argv;
    let base = 0;
    if (resumed && this.#partial !== null) {
      target = this.#partial;
      base = from;
    } else {
      argv.reset(buffer);
    }

    while (remaining > 0) {
      if (bulkLength < 0) {
        const length = at < to ? this.#readBulkLine(buffer, at, to) : LINE_INCOMPLETE;
        if (length === LINE_INCOMPLETE) break;
        if (length === LINE_INVALID) return PROTOCOL_ERROR;
        bulkLength = length;
        at = this.#lineEnd;
      }
      const next = at + bulkLength + 2;
      // What follows the argument is taken to be its line end, as Redis does.
      if (next > to) break;
      target.push(at - base, at + bulkLength - base);
      at = next;
      bulkLength = -1;
      remaining -= 1;
    }
    if (remaining > 0) {
      const state = { at, remaining, bulkLength };
      this.#suspend(from, state);
      if (this.#mustBeJudged()) {
        if (target !== argv) restoreArguments(target, argv, buffer, from);
        if (!this.#judge(argv, remaining)) return this.#beginSkipping(state, to);
      }
      if (target === argv) this.#keepArguments(argv, from);
      return NEED_MORE;
    }
    if (target !== argv) restoreArguments(target, argv, buffer, from);
    if (this.#position !== 0 || this.#scanned !== 0) this.reset();
    return at;
  }

  // ---- requests that are refused before they are here ------------------------------------------------------------

  #mustBeJudged(): boolean {
    const isLarge = this.#requiredBytes > this.limits.unjudgedBytesMax;
    return isLarge && this.gate !== null && !this.#isJudged;
  }

  /** Whether the unfinished request may be kept. Asked once: what is here when it gets large decides. */
  #judge(argv: Argv, remaining: number): boolean {
    this.#refusalText = this.gate!.judge(argv, argv.count + remaining);
    this.#isJudged = true;
    return this.#refusalText === null;
  }

  /** Gives up the bytes of the unfinished request before `to`; returns where those end. */
  #beginSkipping(state: { at: number; remaining: number; bulkLength: number }, to: number): number {
    const { at, remaining, bulkLength } = state;
    // The search for the end of a line goes on where it was.
    const scanned = this.#scanned;
    this.reset();
    this.#skippedArguments = remaining;
    if (bulkLength < 0) {
      this.#scanned = scanned;
      return at;
    }
    this.#skippedBytes = at + bulkLength + 2 - to;
    return to;
  }

  /** Reads over what came of a refused request. */
  #skip(buffer: Buffer, from: number, to: number, argv: Argv): number {
    argv.reset(buffer);
    let at = from;
    while (at < to && this.#skippedArguments > 0) {
      if (this.#skippedBytes === 0) {
        const length = this.#readBulkLine(buffer, at, to);
        if (length === LINE_INVALID) return PROTOCOL_ERROR;
        if (length === LINE_INCOMPLETE) break;
        at = this.#lineEnd;
        this.#skippedBytes = length + 2;
      }
      const skipped = Math.min(this.#skippedBytes, to - at);
      at += skipped;
      this.#skippedBytes -= skipped;
      if (this.#skippedBytes === 0) this.#skippedArguments -= 1;
    }
    if (at > from) return at;
    this.#requiredBytes = this.#scanned + 1;
    return NEED_MORE;
  }

  // ---- pieces ----------------------------------------------------------------------------------------------------

  /** Remembers where the unfinished request stands. */
  #suspend(from: number, state: { at: number; remaining: number; bulkLength: number }): number {
    this.#position = state.at - from;
    this.#remaining = state.remaining;
    this.#bulkLength = state.bulkLength;
    this.#requiredBytes =
      state.bulkLength >= 0
        ? this.#position + state.bulkLength + 2
        : this.#position + this.#scanned + 1;
    return NEED_MORE;
  }

  #keepArguments(argv: Argv, from: number): void {
    const partial = (this.#partial ??= new Argv());
    partial.count = 0;
    for (let index = 0; index < argv.count; index++) {
      partial.push(argv.starts[index] - from, argv.ends[index] - from);
    }
  }

  #acceptCount(count: number): boolean {
    if (count > this.limits.multibulkMax) {
      return this.#fail("ERR Protocol error: invalid multibulk length");
    }
    if (!this.authenticated && count > this.limits.unauthenticatedMultibulkMax) {
      return this.#fail("ERR Protocol error: unauthenticated multibulk length");
    }
    return true;
  }

  /** The length of the argument whose `$n` line starts at `at`. */
  #readBulkLine(buffer: Buffer, at: number, to: number): number {
    const length = this.#readLine(buffer, at, to, "bulk");
    if (length === LINE_INCOMPLETE || length === LINE_INVALID) return length;
    if (length < 0 || length > this.limits.bulkBytesMax) {
      this.#fail("ERR Protocol error: invalid bulk length");
      return LINE_INVALID;
    }
    if (!this.authenticated && length > this.limits.unauthenticatedBulkBytesMax) {
      this.#fail("ERR Protocol error: unauthenticated bulk length");
      return LINE_INVALID;
    }
    return length;
  }

  /** The integer of the line at `start` (a type byte, digits, a line end), which ends at `#lineEnd`. */
  #readLine(buffer: Buffer, start: number, to: number, what: "mbulk" | "bulk"): number {
    if (this.#scanned === 0 && (what === "mbulk" || buffer[start] === DOLLAR)) {
      let value = 0;
      const first = start + 1;
      const stop = first + FAST_DIGITS_MAX < to ? first + FAST_DIGITS_MAX : to;
      let at = first;
      for (; at < stop; at++) {
        const digit = buffer[at] - 0x30;
        if (digit < 0 || digit > 9) break;
        value = value * 10 + digit;
      }
      const plain = at > first && (buffer[first] !== 0x30 || at === first + 1);
      if (plain && at + 1 < to && buffer[at] === CARRIAGE_RETURN) {
        this.#lineEnd = at + 2;
        return value;
      }
    }
    return this.#readLineCarefully(buffer, start, to, what);
  }

  /** Lines that are incomplete, long, negative or wrong. Continues the search for the line end where it stopped. */
  #readLineCarefully(buffer: Buffer, start: number, to: number, what: "mbulk" | "bulk"): number {
    let at = start + this.#scanned;
    while (at < to && buffer[at] !== CARRIAGE_RETURN) at++;
    if (at - start > this.limits.inlineBytesMax) {
      this.#fail(`ERR Protocol error: too big ${what} count string`);
      return LINE_INVALID;
    }
    if (at + 1 >= to) {
      this.#scanned = at - start;
      return LINE_INCOMPLETE;
    }
    this.#scanned = 0;
    if (what === "bulk" && buffer[start] !== DOLLAR) {
      const got = buffer.toString("latin1", start, start + 1);
      this.#fail(`ERR Protocol error: expected '$', got '${got}'`);
      return LINE_INVALID;
    }
    const value = parseInteger(buffer, start + 1, at);
    if (value === LINE_INVALID) {
      const name = what === "mbulk" ? "multibulk" : "bulk";
      this.#fail(`ERR Protocol error: invalid ${name} length`);
      return LINE_INVALID;
    }
    this.#lineEnd = at + 2;
    return value;
  }

  #decodeInline(buffer: Buffer, from: number, to: number, argv: Argv): number {
    let at = from + this.#scanned;
    while (at < to && buffer[at] !== LINE_FEED) at++;
    if (at - from > this.limits.inlineBytesMax) {
      this.#fail("ERR Protocol error: too big inline request");
      return PROTOCOL_ERROR;
    }
    if (at === to) {
      this.#scanned = at - from;
      this.#requiredBytes = this.#scanned + 1;
      return NEED_MORE;
    }
    const end = at > from && buffer[at - 1] === CARRIAGE_RETURN ? at - 1 : at;
    this.#isInline = true;
    if (!splitInline(buffer, from, end, argv)) {
      this.#fail("ERR Protocol error: unbalanced quotes in request");
      return PROTOCOL_ERROR;
    }
    if (this.#scanned !== 0) this.reset();
    return at + 1;
  }

  #fail(text: string): false {
    this.reset();
    this.#errorText = text;
    return false;
  }
}

/** Moves the arguments kept between calls to the caller's, now that the request lies at `from`. */
function restoreArguments(partial: Argv, argv: Argv, buffer: Buffer, from: number): void {
  argv.reset(buffer);
  for (let index = 0; index < partial.count; index++) {
    argv.push(partial.starts[index] + from, partial.ends[index] + from);
  }
}

/** Redis' strict reading: a minus at most, no plus, no leading zeros, nothing else. Beyond 2^53 is invalid here too. */
function parseInteger(buffer: Buffer, start: number, end: number): number {
  const negative = start < end && buffer[start] === 0x2d;
  const first = negative ? start + 1 : start;
  if (first === end || end - first > 16) return LINE_INVALID;
  if (buffer[first] === 0x30 && (negative || end - first > 1)) return LINE_INVALID;
  let value = 0;
  for (let at = first; at < end; at++) {
    const digit = buffer[at] - 0x30;
    if (digit < 0 || digit > 9) return LINE_INVALID;
    value = value * 10 + digit;
  }
  return negative ? -value : value;
}
