/** The one source of chance in a simulation: everything drawn from a seed, nothing from the machine (sfc32). */
export class Prng {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number) {
    this.#a = seed >>> 0;
    this.#b = Math.floor(seed / 0x100000000) >>> 0;
    this.#c = 0x9e3779b9;
    for (let round = 0; round < 16; round++) this.nextUint32();
  }

  nextUint32(): number {
    const sum = (((this.#a + this.#b) >>> 0) + this.#counter) >>> 0;
    this.#counter = (this.#counter + 1) >>> 0;
    this.#a = (this.#b ^ (this.#b >>> 9)) >>> 0;
    this.#b = (this.#c + (this.#c << 3)) >>> 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) >>> 0;
    this.#c = (this.#c + sum) >>> 0;
    return sum;
  }

  /** In [0, 1). */
  next(): number {
    return this.nextUint32() / 0x100000000;
  }

  /** Whole, in [low, high). */
  between(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low));
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.between(0, items.length)];
  }

  /** A generator of its own, so that one part's draws do not move another's. */
  fork(): Prng {
    return new Prng(this.nextUint32() * 0x100000000 + this.nextUint32());
  }
}
