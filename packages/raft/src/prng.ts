/**
 * The core's only source of chance: a 32-bit counter whose value is scrambled by multiply and shift ("splitmix").
 * It needs to spread timeouts, not to be unpredictable.
 */
import type { NodeId } from "./types.ts";

const STEP = 0x9e3779b9;

function scramble(value: number): number {
  let mixed = value >>> 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

export class Prng {
  #state: number;

  /** The node's id is mixed in, so that nodes which share a seed by mistake do not all time out together. */
  constructor(seed: number, id: NodeId) {
    let state = scramble(seed);
    state = scramble(state ^ Math.floor(seed / 0x1_0000_0000));
    for (let position = 0; position < id.length; position += 1) {
      state = scramble(state + id.charCodeAt(position) + STEP);
    }
    this.#state = state;
  }

  /** A whole number in [0, bound). */
  below(bound: number): number {
    this.#state = (this.#state + STEP) >>> 0;
    return Math.floor((scramble(this.#state) / 0x1_0000_0000) * bound);
  }
}
