/**
 * Finds a value by a name given as bytes, in any case, without allocation. Open addressing over a power of two of
 * slots, at most a quarter full; built once.
 */

const LARGE_A = 0x41;
const LARGE_Z = 0x5a;

export class NameIndex<Value> {
  readonly #mask: number;
  readonly #names: (Buffer | null)[];
  readonly #values: (Value | null)[];

  /** Names are lower-case ASCII. Throws on a name given twice. */
  constructor(entries: readonly (readonly [string, Value])[]) {
    let size = 8;
    while (size < entries.length * 4) size *= 2;
    this.#mask = size - 1;
    this.#names = Array.from({ length: size }, () => null);
    this.#values = Array.from({ length: size }, () => null);
    for (const [name, value] of entries) this.#add(name, value);
  }

  /** The value of the name `buffer[start, end)`, or null. */
  find(buffer: Uint8Array, start: number, end: number): Value | null {
    const length = end - start;
    for (let slot = hash(buffer, start, end) & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const name = this.#names[slot]!;
      if (name === null) return null;
      if (name.length === length && equals(name, buffer, start)) return this.#values[slot]!;
    }
  }

  #add(name: string, value: Value): void {
    if (name !== name.toLowerCase()) throw new Error(`command name ${name} is not lower case`);
    const bytes = Buffer.from(name, "latin1");
    if (this.find(bytes, 0, bytes.length) !== null) throw new Error(`command ${name} exists twice`);
    let slot = hash(bytes, 0, bytes.length) & this.#mask;
    while (this.#names[slot] !== null) slot = (slot + 1) & this.#mask;
    this.#names[slot] = bytes;
    this.#values[slot] = value;
  }
}

/** FNV-1a over the bytes with the case bit set, which folds letters and does no harm to others. */
function hash(buffer: Uint8Array, start: number, end: number): number {
  let value = 0x811c9dc5;
  for (let at = start; at < end; at++) {
    value = Math.imul(value ^ (buffer[at] | 0x20), 0x01000193);
  }
  return value ^ (value >>> 15);
}

function equals(name: Uint8Array, buffer: Uint8Array, start: number): boolean {
  for (let offset = 0; offset < name.length; offset++) {
    let code = buffer[start + offset];
    if (code >= LARGE_A && code <= LARGE_Z) code |= 0x20;
    if (code !== name[offset]) return false;
  }
  return true;
}
