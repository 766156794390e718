/**
 * Glob patterns over bytes, with the meaning they have in Redis:
 *
 *   *        any bytes, also none        ?       one byte
 *   [abc]    one of                      [a-z]   one of a range (either way round)
 *   [^a]     none of                     \x      x itself
 *
 * A bracket that is not closed ends with the pattern. Only the last `*` is ever tried again, so a pattern costs at
 * most its length times the length of the text, where the recursive matcher took exponential time (CVE-2022-36021).
 */
const STAR = 0x2a;
const QUESTION = 0x3f;
const OPEN = 0x5b;
const CLOSE = 0x5d;
const CARET = 0x5e;
const DASH = 0x2d;
const BACKSLASH = 0x5c;

/** Bytes a pattern may have: with a key of any length, that many steps per byte of the key at most. */
export const GLOB_BYTES_MAX: number = 4096;

export const PATTERN_TOO_LONG: string = `ERR pattern is too long (at most ${GLOB_BYTES_MAX} bytes)`;

export class Glob {
  readonly #pattern: Uint8Array;
  readonly #ignoreCase: boolean;
  /** Where the pattern goes on after the element just matched. */
  #next = 0;

  /** The bytes must not change while the glob is in use. Throws RangeError beyond GLOB_BYTES_MAX. */
  constructor(pattern: Uint8Array, options: { readonly ignoreCase?: boolean } = {}) {
    if (pattern.length > GLOB_BYTES_MAX) throw new RangeError(PATTERN_TOO_LONG);
    this.#pattern = pattern;
    this.#ignoreCase = options.ignoreCase ?? false;
  }

  /** True for a lone `*`, which needs no matching. */
  get matchesAll(): boolean {
    return this.#pattern.length === 1 && this.#pattern[0] === STAR;
  }

  /** Does the whole of `text[start, end)` match? An empty text matches an empty pattern only, as in Redis. */
  matches(text: Uint8Array, start: number, end: number): boolean {
    const pattern = this.#pattern;
    if (start === end) return pattern.length === 0;
    let at = 0;
    let position = start;
    let retryAt = -1;
    let retryPosition = 0;
    while (position < end) {
      if (at < pattern.length && pattern[at] === STAR) {
        while (at < pattern.length && pattern[at] === STAR) at++;
        if (at === pattern.length) return true;
        retryAt = at;
        retryPosition = position;
      } else if (at < pattern.length && this.#matchesOne(at, text[position])) {
        at = this.#next;
        position++;
      } else {
        if (retryAt < 0) return false;
        at = retryAt;
        position = ++retryPosition;
      }
    }
    while (at < pattern.length && pattern[at] === STAR) at++;
    return at === pattern.length;
  }

  /** Matches one byte against the element at `at`, which is no star, and sets `#next`. */
  #matchesOne(at: number, byte: number): boolean {
    const pattern = this.#pattern;
    const element = pattern[at];
    if (element === QUESTION) {
      this.#next = at + 1;
      return true;
    }
    if (element === OPEN) return this.#matchesSet(at + 1, byte);
    const isEscape = element === BACKSLASH && at + 1 < pattern.length;
    this.#next = isEscape ? at + 2 : at + 1;
    return this.#fold(isEscape ? pattern[at + 1] : element) === this.#fold(byte);
  }

  /** Matches one byte against the set whose first byte after the bracket is at `first`. */
  #matchesSet(first: number, byte: number): boolean {
    const pattern = this.#pattern;
    const length = pattern.length;
    const isNegated = first < length && pattern[first] === CARET;
    let at = isNegated ? first + 1 : first;
    let isIn = false;
    while (at < length && pattern[at] !== CLOSE) {
      if (pattern[at] === BACKSLASH && at + 1 < length) {
        // Redis does not fold an escaped byte in a set, also when case does not matter.
        if (pattern[at + 1] === byte) isIn = true;
        at += 2;
      } else if (at + 2 < length && pattern[at + 1] === DASH) {
        if (this.#isBetween(byte, pattern[at], pattern[at + 2])) isIn = true;
        at += 3;
      } else {
        if (this.#fold(pattern[at]) === this.#fold(byte)) isIn = true;
        at += 1;
      }
    }
    this.#next = at < length ? at + 1 : length;
    return isIn !== isNegated;
  }

  /** Bytes are compared as C's signed characters: 0x80 to 0xff lie below 0. */
  #isBetween(byte: number, from: number, to: number): boolean {
    const value = toSigned(this.#fold(byte));
    // Redis orders the bounds before it folds them.
    const isReversed = toSigned(from) > toSigned(to);
    const low = toSigned(this.#fold(isReversed ? to : from));
    const high = toSigned(this.#fold(isReversed ? from : to));
    return value >= low && value <= high;
  }

  #fold(byte: number): number {
    return this.#ignoreCase && byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
  }
}

function toSigned(byte: number): number {
  return (byte << 24) >> 24;
}
