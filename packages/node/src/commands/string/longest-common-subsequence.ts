/**
 * The longest common subsequence of two byte strings, by the classical table of lengths:
 *
 *   L(i, j) = 0                              i = 0 or j = 0
 *           = L(i-1, j-1) + 1                a[i-1] = b[j-1]
 *           = max(L(i-1, j), L(i, j-1))      else
 *
 * Walking back from the end finds one of possibly many; which one is part of the contract (Redis prefers to step back
 * in b). The way back needs to know only which of the two neighbours was greater, so the table is one bit per cell
 * and two rows of lengths: a thirtieth of the memory of the full one.
 */

export interface MatchRange {
  /** Where the run of equal bytes starts in the first and in the second string. */
  readonly firstStart: number;
  readonly secondStart: number;
  readonly length: number;
}

export class LongestCommonSubsequence {
  readonly #a: Uint8Array;
  readonly #b: Uint8Array;
  readonly #columns: number;
  #length = -1;
  /** Bit (i, j) says that L(i-1, j) > L(i, j-1). */
  #goesUp: Uint32Array | null = null;

  constructor(a: Uint8Array, b: Uint8Array) {
    this.#a = a;
    this.#b = b;
    this.#columns = b.length + 1;
  }

  length(): number {
    if (this.#length < 0) this.#fill(null);
    return this.#length;
  }

  /** The subsequence itself. */
  bytes(): Uint8Array {
    const bits = this.#table();
    const out = new Uint8Array(this.#length);
    let at = this.#length;
    let i = this.#a.length;
    let j = this.#b.length;
    while (i > 0 && j > 0) {
      if (this.#a[i - 1] === this.#b[j - 1]) {
        out[--at] = this.#a[i - 1]!;
        i--;
        j--;
      } else if (isSet(bits, i * this.#columns + j)) i--;
      else j--;
    }
    return out;
  }

  /** The runs of bytes that are next to each other in both strings, the last one first. */
  ranges(): MatchRange[] {
    const bits = this.#table();
    const ranges: MatchRange[] = [];
    let run = 0;
    let i = this.#a.length;
    let j = this.#b.length;
    while (i > 0 && j > 0) {
      const isEqual = this.#a[i - 1] === this.#b[j - 1];
      if (isEqual) {
        run++;
        i--;
        j--;
      }
      const isOver = !isEqual || i === 0 || j === 0;
      if (isOver && run > 0) {
        ranges.push({ firstStart: i, secondStart: j, length: run });
        run = 0;
      }
      if (isEqual) continue;
      if (isSet(bits, i * this.#columns + j)) i--;
      else j--;
    }
    return ranges;
  }

  #table(): Uint32Array {
    if (this.#goesUp === null) {
      this.#goesUp = new Uint32Array(((this.#a.length + 1) * this.#columns + 31) >>> 5);
      this.#fill(this.#goesUp);
    }
    return this.#goesUp;
  }

  #fill(bits: Uint32Array | null): void {
    const a = this.#a;
    const b = this.#b;
    let above = new Uint32Array(this.#columns);
    let row = new Uint32Array(this.#columns);
    for (let i = 1; i <= a.length; i++) {
      const byte = a[i - 1];
      const rowBits = i * this.#columns;
      for (let j = 1; j <= b.length; j++) {
        if (byte === b[j - 1]) {
          row[j] = above[j - 1] + 1;
          continue;
        }
        const up = above[j];
        const left = row[j - 1];
        row[j] = up > left ? up : left;
        if (bits !== null && up > left) bits[(rowBits + j) >>> 5] |= 1 << ((rowBits + j) & 31);
      }
      [above, row] = [row, above];
    }
    this.#length = above[b.length]!;
  }
}

function isSet(bits: Uint32Array, at: number): boolean {
  return (bits[at >>> 5] & (1 << (at & 31))) !== 0;
}
