/**
 * The hash of keys: HalfSipHash-1-3 (Aumasson and Bernstein), 31 bits of it.
 *
 * Keys come from clients, so the hash must be keyed: for Murmur-like hashes there are sets of keys that collide under
 * every seed, and a client that sends them turns each lookup into a walk over all of them. SipHash costs about 20 ns
 * more for a 16-byte key and has no such sets. 31 bits, because integers below 2^31 need no allocation in the engine.
 */

/** Hashes lie in [0, HASH_END). */
export const HASH_END = 0x80000000;
export const HASH_BITS = 31;

export interface Hasher {
  /** The hash of `buffer[start, end)`, an integer in [0, HASH_END). */
  hash(buffer: Uint8Array, start: number, end: number): number;
}

/** Hashes byte ranges under a seed; the same seed gives the same hashes on every node. */
export class KeyHasher implements Hasher {
  readonly #k0: number;
  readonly #k1: number;

  /** `seed`: a non-negative integer up to 2^53 - 1. */
  constructor(seed: number) {
    this.#k0 = seed | 0;
    this.#k1 = Math.floor(seed / 0x100000000) ^ Math.imul(seed | 0, 0x9e3779b1);
  }

  /** The hash of `buffer[start, end)`, in [0, HASH_END). */
  hash(buffer: Uint8Array, start: number, end: number): number {
    const length = end - start;
    const wordsEnd = start + (length & ~3);
    let v0 = this.#k0;
    let v1 = this.#k1;
    let v2 = 0x6c796765 ^ v0;
    let v3 = 0x74656462 ^ v1;
    let at = start;
    let word = 0;
    for (; at < wordsEnd; at += 4) {
      word = buffer[at] | (buffer[at + 1] << 8) | (buffer[at + 2] << 16) | (buffer[at + 3] << 24);
      v3 ^= word;
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
      v0 ^= word;
    }
    word = length << 24;
    for (let shift = 0; at < end; at += 1, shift += 8) {
      word |= buffer[at] << shift;
    }
    v3 ^= word;
    // One round for the last word, then three to finish.
    for (let round = 0; round < 4; round += 1) {
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
      if (round === 0) {
        v0 ^= word;
        v2 ^= 0xff;
      }
    }
    return (v1 ^ v3) >>> 1;
  }
}
