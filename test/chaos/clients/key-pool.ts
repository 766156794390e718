/**
 * Keys that several clients use at once, each for a while: what has an unknown outcome stays possible for as long as its
 * key is used, and a checker has to think of all of it at every step.
 */
import type { Prng } from "../../sim/world/prng.ts";

export class KeyPool {
  readonly #prefix: string;
  readonly #usesMax: number;
  readonly #keys: { name: string; uses: number }[];
  #made = 0;

  constructor(prefix: string, options: { readonly keys: number; readonly usesMax: number }) {
    this.#prefix = prefix;
    this.#usesMax = options.usesMax;
    this.#keys = Array.from({ length: options.keys }, () => this.#fresh());
  }

  next(random: Prng): string {
    const at = random.between(0, this.#keys.length);
    if (this.#keys[at].uses === this.#usesMax) this.#keys[at] = this.#fresh();
    this.#keys[at].uses++;
    return this.#keys[at].name;
  }

  #fresh(): { name: string; uses: number } {
    return { name: `${this.#prefix}:${this.#made++}`, uses: 0 };
  }
}
