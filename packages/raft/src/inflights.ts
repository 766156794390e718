/**
 * The sliding window of appends on their way to one follower: a ring of (last index, bytes), oldest first. Indices
 * only grow, so an acknowledgement of one frees all before it.
 */
import { invariant } from "./errors.ts";
import type { Index } from "./types.ts";

export interface InflightLimits {
  readonly messagesMax: number;
  readonly bytesMax: number;
}

export class Inflights {
  readonly #limits: InflightLimits;
  readonly #lastIndices: Index[] = [];
  readonly #sizesBytes: number[] = [];
  #start = 0;
  #count = 0;
  #bytes = 0;

  constructor(limits: InflightLimits) {
    this.#limits = limits;
  }

  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Full in messages or in bytes. A single message above the byte limit passes through an empty window. */
  isFull(): boolean {
    return this.#count >= this.#limits.messagesMax || this.#bytes >= this.#limits.bytesMax;
  }

  add(lastIndex: Index, sizeBytes: number): void {
    invariant(!this.isFull(), "inflightsFull", "an append was sent through a full window");
    const place = (this.#start + this.#count) % this.#limits.messagesMax;
    this.#lastIndices[place] = lastIndex;
    this.#sizesBytes[place] = sizeBytes;
    this.#count += 1;
    this.#bytes += sizeBytes;
  }

  /** Everything up to and with `index` has arrived. */
  freeTo(index: Index): void {
    while (this.#count > 0 && (this.#lastIndices[this.#start] ?? Infinity) <= index) {
      this.#bytes -= this.#sizesBytes[this.#start] ?? 0;
      this.#start = (this.#start + 1) % this.#limits.messagesMax;
      this.#count -= 1;
    }
  }

  clear(): void {
    this.#start = 0;
    this.#count = 0;
    this.#bytes = 0;
  }
}
