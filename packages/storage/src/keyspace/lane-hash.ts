/**
 * A 128-bit hash of one sequence of words at a time, and the sum of all of them modulo 2^128, which does not depend on
 * their order.
 */
const LANE_MULTIPLIERS = [0x85ebca6b, 0xc2b2ae35, 0x27d4eb2f, 0x165667b1] as const;

export class LaneHash {
  /** The sum, least word first. */
  readonly #sum: Uint32Array = new Uint32Array(4);
  readonly #lanes: Int32Array = new Int32Array(4);
  readonly #double: Float64Array = new Float64Array(1);
  readonly #doubleWords: Uint32Array = new Uint32Array(this.#double.buffer);

  /** Begins a sequence with what every entry has. */
  begin(typeByte: number, keyLength: number, valueLength: number, expireAtMs: number): void {
    this.#lanes.set([1, 2, 3, 4]);
    this.#double[0] = expireAtMs;
    this.absorb(typeByte);
    this.absorb(keyLength);
    this.absorb(valueLength);
    this.absorb(this.#doubleWords[0]);
    this.absorb(this.#doubleWords[1]);
  }

  /** Each lane takes in the word and the lane before it, so that the four together keep 128 bits apart. */
  absorb(word: number): void {
    const lanes = this.#lanes;
    let carried = lanes[3];
    for (let lane = 0; lane < 4; lane += 1) {
      let mixed = Math.imul(lanes[lane] ^ word, LANE_MULTIPLIERS[lane]) + carried;
      mixed = (mixed << 15) | (mixed >>> 17);
      lanes[lane] = mixed;
      carried = mixed ^ (mixed >>> 11);
    }
  }

  /** Adds the sequence to the sum. */
  finish(): void {
    for (let round = 0; round < 4; round += 1) {
      this.absorb(0x9e3779b9 + round);
    }
    let carry = 0;
    for (let lane = 0; lane < 4; lane += 1) {
      const total = this.#sum[lane] + (this.#lanes[lane] >>> 0) + carry;
      this.#sum[lane] = total >>> 0;
      carry = total > 0xffffffff ? 1 : 0;
    }
  }

  /** 32 hex digits. */
  hex(): string {
    return [...this.#sum]
      .toReversed()
      .map((word) => word.toString(16).padStart(8, "0"))
      .join("");
  }
}
