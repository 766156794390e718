/**
 * A 128-bit hash of a set of entries that does not depend on their order: each entry is hashed by itself, the hashes are
 * added modulo 2^128. It finds replicas that differ by a bug, not by an adversary.
 */
import type { EntryStore } from "./entry-store.ts";

const LANE_MULTIPLIERS = [0x85ebca6b, 0xc2b2ae35, 0x27d4eb2f, 0x165667b1] as const;

export class StateHash {
  /** The sum, least word first. */
  readonly #sum: Uint32Array = new Uint32Array(4);
  readonly #lanes: Int32Array = new Int32Array(4);
  readonly #double: Float64Array = new Float64Array(1);
  readonly #doubleWords: Uint32Array = new Uint32Array(this.#double.buffer);

  /** Adds type, encoding, expiry, key and value of an entry. */
  add(entries: EntryStore, ref: number): void {
    this.#lanes.set([1, 2, 3, 4]);
    const keyLength = entries.keyLength(ref);
    const valueLength = entries.valueLength(ref);
    this.#double[0] = entries.expireAtMs(ref);
    this.#absorb(entries.typeByte(ref));
    this.#absorb(keyLength);
    this.#absorb(valueLength);
    this.#absorb(this.#doubleWords[0]);
    this.#absorb(this.#doubleWords[1]);
    this.#absorbBytes(entries.keyBuffer(ref), entries.keyStart(ref), keyLength);
    this.#absorbBytes(entries.valueBuffer(ref), entries.valueStart(ref), valueLength);
    this.#finish();
  }

  /** 32 hex digits. */
  hex(): string {
    return [...this.#sum]
      .toReversed()
      .map((word) => word.toString(16).padStart(8, "0"))
      .join("");
  }

  #absorbBytes(buffer: Uint8Array, start: number, length: number): void {
    const wordsEnd = start + (length & ~3);
    let at = start;
    for (; at < wordsEnd; at += 4) {
      this.#absorb(
        buffer[at] | (buffer[at + 1] << 8) | (buffer[at + 2] << 16) | (buffer[at + 3] << 24),
      );
    }
    let rest = 0;
    for (let shift = 0; at < start + length; at += 1, shift += 8) {
      rest |= buffer[at] << shift;
    }
    this.#absorb(rest);
  }

  /** Each lane takes in the word and the lane before it, so that the four together keep 128 bits apart. */
  #absorb(word: number): void {
    const lanes = this.#lanes;
    let carried = lanes[3];
    for (let lane = 0; lane < 4; lane += 1) {
      let mixed = Math.imul(lanes[lane] ^ word, LANE_MULTIPLIERS[lane]) + carried;
      mixed = (mixed << 15) | (mixed >>> 17);
      lanes[lane] = mixed;
      carried = mixed ^ (mixed >>> 11);
    }
  }

  #finish(): void {
    for (let round = 0; round < 4; round += 1) {
      this.#absorb(0x9e3779b9 + round);
    }
    let carry = 0;
    for (let lane = 0; lane < 4; lane += 1) {
      const total = this.#sum[lane] + (this.#lanes[lane] >>> 0) + carry;
      this.#sum[lane] = total >>> 0;
      carry = total > 0xffffffff ? 1 : 0;
    }
  }
}
