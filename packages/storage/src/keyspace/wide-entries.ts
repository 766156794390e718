/**
 * Entries whose value, and perhaps key, has a Buffer of its own (WIDE in `entry-layout.ts`). Everything here is about
 * those words of the header that only wide entries have.
 */
import { CHUNK_SHIFT, UNIT_MASK, type Arena } from "./arena.ts";
import { copyBytes } from "./copy-bytes.ts";
import {
  FLAG_WIDE,
  headerBytes,
  WIDE_INLINE_KEY_BYTES_MAX,
  WORD_CLOCK,
  WORD_LENGTHS,
  WORD_WIDE_KEY_ID,
  WORD_WIDE_VALUE_ID,
  WORD_WIDE_VALUE_LENGTH,
  type EntryFields,
} from "./entry-layout.ts";
import { EXTERNAL_OVERHEAD_BYTES, type ExternalValues } from "./external-values.ts";

/** A value that grew in place once is likely to grow again: it gets this part of its length as room. */
const GROWTH_ROOM_PART = 8;

export class WideEntries {
  readonly #arena: Arena;
  readonly #external: ExternalValues;

  constructor(arena: Arena, external: ExternalValues) {
    this.#arena = arena;
    this.#external = external;
  }

  /** Makes an entry without writing its expiry, for which there is room when `expiryFlag` is set. */
  create(
    fields: EntryFields,
    expiryFlag: number,
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    valueLength: number,
  ): number {
    const keyLength = keyEnd - keyStart;
    const keyInline = keyLength <= WIDE_INLINE_KEY_BYTES_MAX;
    const flags = FLAG_WIDE | expiryFlag;
    const header = headerBytes(flags);
    const ref = this.#arena.allocate(header + (keyInline ? keyLength : 0));
    const words = this.#arena.words[ref >>> CHUNK_SHIFT];
    const word = (ref & UNIT_MASK) << 1;
    words[word] = flags | (fields.typeByte << 8) | (fields.epoch << 16);
    words[word + WORD_CLOCK] = fields.clockSeconds;
    words[word + WORD_LENGTHS] = keyLength;
    words[word + WORD_WIDE_VALUE_LENGTH] = valueLength;
    words[word + WORD_WIDE_VALUE_ID] = valueLength === 0 ? 0 : this.#external.allocate(valueLength);
    if (keyInline) {
      words[word + WORD_WIDE_KEY_ID] = 0;
      const buffer = this.#arena.buffers[ref >>> CHUNK_SHIFT];
      copyBytes(key, keyStart, keyEnd, buffer, (word << 2) + header);
    } else {
      const id = this.#external.allocate(keyLength);
      words[word + WORD_WIDE_KEY_ID] = id;
      copyBytes(key, keyStart, keyEnd, this.#external.buffers[id], 0);
    }
    return ref;
  }

  /** Hands a value to another wide entry that has none. */
  moveValue(from: number, to: number): void {
    const fromWords = this.#arena.words[from >>> CHUNK_SHIFT];
    const fromWord = (from & UNIT_MASK) << 1;
    const toWords = this.#arena.words[to >>> CHUNK_SHIFT];
    const toWord = (to & UNIT_MASK) << 1;
    toWords[toWord + WORD_WIDE_VALUE_ID] = fromWords[fromWord + WORD_WIDE_VALUE_ID];
    toWords[toWord + WORD_WIDE_VALUE_LENGTH] = fromWords[fromWord + WORD_WIDE_VALUE_LENGTH];
    fromWords[fromWord + WORD_WIDE_VALUE_ID] = 0;
    fromWords[fromWord + WORD_WIDE_VALUE_LENGTH] = 0;
  }

  /**
   * Makes the value `valueLength` long. Keeps the Buffer when it may be written, the length fits, and not more than half
   * of it would lie idle.
   */
  resizeValue(ref: number, valueLength: number, mayWriteBuffer: boolean): void {
    const words = this.#arena.words[ref >>> CHUNK_SHIFT];
    const word = (ref & UNIT_MASK) << 1;
    const id = words[word + WORD_WIDE_VALUE_ID];
    const old = this.#external.buffers[id];
    const oldLength = words[word + WORD_WIDE_VALUE_LENGTH];
    const fits = valueLength <= old.length && valueLength * 2 >= old.length;
    if (!fits || !(mayWriteBuffer || valueLength === 0)) {
      words[word + WORD_WIDE_VALUE_ID] = this.#resizedCopy(old, oldLength, valueLength);
      this.#freeExternal(id);
    }
    words[word + WORD_WIDE_VALUE_LENGTH] = valueLength;
  }

  /** Ids of the external key and value, those it has. */
  externalIds(ref: number): number[] {
    const words = this.#arena.words[ref >>> CHUNK_SHIFT];
    const word = (ref & UNIT_MASK) << 1;
    const ids = [words[word + WORD_WIDE_KEY_ID], words[word + WORD_WIDE_VALUE_ID]];
    return ids.filter((id) => id !== 0);
  }

  /** Bytes of its own Buffers. */
  externalBytes(ref: number): number {
    let bytes = 0;
    for (const id of this.externalIds(ref)) {
      bytes += this.#external.buffers[id].length + EXTERNAL_OVERHEAD_BYTES;
    }
    return bytes;
  }

  /** Lets its own Buffers go. */
  freeExternals(ref: number): void {
    const words = this.#arena.words[ref >>> CHUNK_SHIFT];
    const word = (ref & UNIT_MASK) << 1;
    this.#freeExternal(words[word + WORD_WIDE_KEY_ID]);
    this.#freeExternal(words[word + WORD_WIDE_VALUE_ID]);
  }

  /** The id of a Buffer that begins like `old`, with some room when the value grows; 0 for length 0. */
  #resizedCopy(old: Buffer, oldLength: number, valueLength: number): number {
    if (valueLength === 0) {
      return 0;
    }
    const grows = valueLength > oldLength && oldLength > 0;
    const room = grows ? Math.floor(valueLength / GROWTH_ROOM_PART) : 0;
    const id = this.#external.allocate(valueLength + room);
    old.copy(this.#external.buffers[id], 0, 0, Math.min(oldLength, valueLength));
    return id;
  }

  #freeExternal(id: number): void {
    if (id !== 0) {
      this.#external.free(id);
    }
  }
}
