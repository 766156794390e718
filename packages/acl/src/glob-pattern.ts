/**
 * Glob patterns over bytes as Redis understands them, compiled once and matched in a bounded number of steps (S11).
 *
 *   *        any bytes, also none        ?       one byte
 *   [abc]    one of                      [a-z]   one of a range (either way round, bytes as C's signed characters)
 *   [^a]     none of                     \x      x itself
 *
 * A bracket that is not closed ends with the pattern. An empty text matches the empty pattern only, also not `*`.
 *
 * The stars cut a pattern into runs of elements that each take one byte. The first run is bound to the start of the
 * text and the last to its end; each run between is looked for once, from where the one before ended: the leftmost
 * place is always good enough. So there is no recursion, and at most (length of text) x (longest run) steps.
 */
const STAR = 0x2a;
const QUESTION = 0x3f;
const OPEN = 0x5b;
const CLOSE = 0x5d;
const CARET = 0x5e;
const DASH = 0x2d;
const BACKSLASH = 0x5c;

/** Elements: a byte itself, any byte, or (from here on) the number of a set. */
const ANY = 256;
const FIRST_SET = 257;
const SET_WORDS = 8;

export class GlobPattern {
  /** As it was written. */
  readonly text: string;
  /** All elements, the stars left out. */
  readonly #elements: Uint16Array;
  /** 256 bits for each set. */
  readonly #sets: Uint32Array;
  /** Where each run begins in `#elements`, and the end of the last. */
  readonly #runs: Uint32Array;
  readonly #hasStar: boolean;
  /** `prefix*` without anything but plain bytes: compared at once. */
  readonly #isPrefix: boolean;

  /** @param text a byte string */
  constructor(text: string) {
    const compiled = compile(Buffer.from(text, "latin1"));
    this.text = text;
    this.#elements = Uint16Array.from(compiled.elements);
    this.#sets = Uint32Array.from(compiled.sets);
    this.#runs = Uint32Array.from([...compiled.runs, compiled.elements.length]);
    this.#hasStar = compiled.runs.length > 1;
    const lastRunIsEmpty = compiled.runs.at(-1) === compiled.elements.length;
    this.#isPrefix =
      compiled.runs.length === 2 &&
      lastRunIsEmpty &&
      compiled.elements.every((element) => element < ANY);
  }

  /** Whether the whole of `bytes[start, end)` matches. */
  matches(bytes: Uint8Array, start: number, end: number): boolean {
    const elementCount = this.#elements.length;
    if (end - start < elementCount) return false;
    if (start === end) return !this.#hasStar;
    if (this.#isPrefix) return this.#startsWith(bytes, start);
    if (!this.#hasStar) return end - start === elementCount && this.#runAt(0, bytes, start);
    return this.#matchesRuns(bytes, start, end);
  }

  /** The most element comparisons that a text of this length can cost. */
  stepsMax(textLength: number): number {
    let longest = 1;
    for (let run = 0; run + 1 < this.#runs.length; run++) {
      longest = Math.max(longest, this.#runs[run + 1] - this.#runs[run]);
    }
    return this.#elements.length + textLength * longest;
  }

  #startsWith(bytes: Uint8Array, start: number): boolean {
    const elements = this.#elements;
    for (let index = 0; index < elements.length; index++) {
      if (bytes[start + index] !== elements[index]) return false;
    }
    return true;
  }

  #matchesRuns(bytes: Uint8Array, start: number, end: number): boolean {
    const runs = this.#runs;
    const last = runs.length - 2;
    const lastStart = end - (runs[last + 1] - runs[last]);
    if (!this.#runAt(0, bytes, start) || !this.#runAt(last, bytes, lastStart)) return false;
    let position = start + runs[1] - runs[0];
    for (let run = 1; run < last; run++) {
      const length = runs[run + 1] - runs[run];
      while (position + length <= lastStart && !this.#runAt(run, bytes, position)) position++;
      position += length;
      if (position > lastStart) return false;
    }
    return position <= lastStart;
  }

  /** Whether a run matches the bytes from `position` on; there are enough of them. */
  #runAt(run: number, bytes: Uint8Array, position: number): boolean {
    const elements = this.#elements;
    const end = this.#runs[run + 1];
    let at = position;
    for (let index = this.#runs[run]; index < end; index++, at++) {
      const element = elements[index];
      if (element === ANY) continue;
      if (element < ANY ? element !== bytes[at] : !this.#setHas(element - FIRST_SET, bytes[at])) {
        return false;
      }
    }
    return true;
  }

  #setHas(set: number, byte: number): boolean {
    return (this.#sets[set * SET_WORDS + (byte >>> 5)] & (1 << (byte & 31))) !== 0;
  }
}

interface Compiled {
  readonly elements: number[];
  readonly sets: number[];
  readonly runs: number[];
}

function compile(pattern: Uint8Array): Compiled {
  const compiled: Compiled = { elements: [], sets: [], runs: [0] };
  let at = 0;
  while (at < pattern.length) {
    const byte = pattern[at];
    if (byte === STAR) {
      if (at === 0 || !isStarBefore(pattern, at, compiled)) {
        compiled.runs.push(compiled.elements.length);
      }
      at++;
    } else if (byte === OPEN) {
      at = compileSet(pattern, at + 1, compiled);
    } else if (byte === BACKSLASH && at + 1 < pattern.length) {
      compiled.elements.push(pattern[at + 1]);
      at += 2;
    } else {
      compiled.elements.push(byte === QUESTION ? ANY : byte);
      at++;
    }
  }
  return compiled;
}

/** Whether the star at `at` follows another one directly: the two mean the same as one. */
function isStarBefore(pattern: Uint8Array, at: number, compiled: Compiled): boolean {
  return (
    pattern[at - 1] === STAR &&
    compiled.runs.length > 1 &&
    compiled.runs.at(-1) === compiled.elements.length
  );
}

/** Compiles the set whose first byte after the bracket is at `first`; returns where the pattern goes on. */
function compileSet(pattern: Uint8Array, first: number, compiled: Compiled): number {
  const words = new Uint32Array(SET_WORDS);
  const add = (byte: number): void => {
    words[byte >>> 5] |= 1 << (byte & 31);
  };
  const isNegated = pattern[first] === CARET;
  let at = isNegated ? first + 1 : first;
  while (at < pattern.length && pattern[at] !== CLOSE) {
    if (pattern[at] === BACKSLASH && at + 1 < pattern.length) {
      add(pattern[at + 1]);
      at += 2;
    } else if (at + 2 < pattern.length && pattern[at + 1] === DASH) {
      addRange(pattern[at], pattern[at + 2], add);
      at += 3;
    } else {
      add(pattern[at]);
      at++;
    }
  }
  compiled.elements.push(FIRST_SET + compiled.sets.length / SET_WORDS);
  for (const word of words) compiled.sets.push((isNegated ? ~word : word) >>> 0);
  return at + 1;
}

function addRange(from: number, to: number, add: (byte: number) => void): void {
  const low = Math.min(toSigned(from), toSigned(to));
  const high = Math.max(toSigned(from), toSigned(to));
  for (let value = low; value <= high; value++) add(value & 0xff);
}

/** As a C compiler for x86 sees a character: 0x80 to 0xff lie below 0. */
function toSigned(byte: number): number {
  return (byte << 24) >> 24;
}
