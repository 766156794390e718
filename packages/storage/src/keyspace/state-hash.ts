/**
 * A 128-bit hash of a set of entries that does not depend on their order: each entry is hashed by itself, the hashes are
 * added modulo 2^128. It finds replicas that differ by a bug, not by an adversary.
 */
import type { EntryStore } from "./entry-store.ts";
import { LaneHash } from "./lane-hash.ts";

export class StateHash {
  readonly #hash: LaneHash = new LaneHash();

  /** Adds type, encoding, expiry, key and value of an entry. */
  add(entries: EntryStore, ref: number): void {
    const keyLength = entries.keyLength(ref);
    const valueLength = entries.valueLength(ref);
    this.#hash.begin(entries.typeByte(ref), keyLength, valueLength, entries.expireAtMs(ref));
    this.#absorbBytes(entries.keyBuffer(ref), entries.keyStart(ref), keyLength);
    this.#absorbBytes(entries.valueBuffer(ref), entries.valueStart(ref), valueLength);
    this.#hash.finish();
  }

  /** 32 hex digits. */
  hex(): string {
    return this.#hash.hex();
  }

  #absorbBytes(buffer: Uint8Array, start: number, length: number): void {
    const wordsEnd = start + (length & ~3);
    let at = start;
    for (; at < wordsEnd; at += 4) {
      this.#hash.absorb(
        buffer[at] | (buffer[at + 1] << 8) | (buffer[at + 2] << 16) | (buffer[at + 3] << 24),
      );
    }
    let rest = 0;
    for (let shift = 0; at < start + length; at += 1, shift += 8) {
      rest |= buffer[at] << shift;
    }
    this.#hash.absorb(rest);
  }
}
