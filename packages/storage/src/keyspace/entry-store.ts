/**
 * Entries in memory: makes, reads, reshapes and frees them. Knows nothing of the index, of expiry or of snapshots.
 *
 * A reference is the arena address of the entry's block. It stays valid until the entry is destroyed or reshaped.
 */
import { Arena, CHUNK_SHIFT, UNIT_MASK } from "./arena.ts";
import { copyBytes } from "./copy-bytes.ts";
import {
  FLAG_EXPIRY,
  FLAG_WIDE,
  headerBytes,
  LENGTH_BITS,
  LENGTH_MASK,
  NARROW_CONTENT_BYTES_MAX,
  WORD_CLOCK,
  WORD_EXPIRY_NARROW,
  WORD_EXPIRY_WIDE,
  WORD_LENGTHS,
  WORD_META,
  WORD_WIDE_KEY_ID,
  WORD_WIDE_VALUE_ID,
  WORD_WIDE_VALUE_LENGTH,
  type EntryFields,
} from "./entry-layout.ts";
import { assertInvariant } from "./errors.ts";
import { ExternalValues } from "./external-values.ts";
import { CLASS_BYTES, sizeClassOf } from "./size-classes.ts";
import { WideEntries } from "./wide-entries.ts";

export class EntryStore {
  readonly arena: Arena;
  readonly external: ExternalValues = new ExternalValues();
  readonly #wide: WideEntries;

  /** A double and its two words, to read and write expiries without allocation. */
  readonly #double: Float64Array = new Float64Array(1);
  readonly #doubleWords: Uint32Array = new Uint32Array(this.#double.buffer);

  constructor(arena: Arena = new Arena()) {
    this.arena = arena;
    this.#wide = new WideEntries(arena, this.external);
  }

  get usedBytes(): number {
    return this.arena.usedBytes + this.external.usedBytes;
  }

  /** Makes an entry with a copy of the key; its value has `valueLength` bytes of undefined content. */
  create(
    fields: EntryFields,
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    valueLength: number,
  ): number {
    const keyLength = keyEnd - keyStart;
    if (keyLength + valueLength > NARROW_CONTENT_BYTES_MAX) {
      return this.#createWide(fields, key, keyStart, keyEnd, valueLength);
    }
    const flags = fields.expireAtMs === 0 ? 0 : FLAG_EXPIRY;
    const header = headerBytes(flags);
    const ref = this.arena.allocate(header + keyLength + valueLength);
    const words = this.arena.words[ref >>> CHUNK_SHIFT];
    const word = (ref & UNIT_MASK) << 1;
    words[word] = flags | (fields.typeByte << 8) | (fields.epoch << 16);
    words[word + WORD_CLOCK] = fields.clockSeconds;
    words[word + WORD_LENGTHS] = keyLength | (valueLength << LENGTH_BITS);
    if (flags !== 0) {
      this.#writeExpiry(words, word + WORD_EXPIRY_NARROW, fields.expireAtMs);
    }
    const buffer = this.arena.buffers[ref >>> CHUNK_SHIFT];
    copyBytes(key, keyStart, keyEnd, buffer, (word << 2) + header);
    return ref;
  }

  /** Frees the entry. A Buffer of its own is only let go: a snapshot may still write it. */
  destroy(ref: number): void {
    const words = this.arena.words[ref >>> CHUNK_SHIFT];
    const word = (ref & UNIT_MASK) << 1;
    const sizeBytes = this.#blockContentBytes(words, word);
    if ((words[word] & FLAG_WIDE) !== 0) {
      this.#wide.freeExternals(ref);
    }
    this.arena.free(ref, sizeBytes);
  }

  keyLength(ref: number): number {
    const words = this.arena.words[ref >>> CHUNK_SHIFT];
    const word = (ref & UNIT_MASK) << 1;
    const lengths = words[word + WORD_LENGTHS];
    return (words[word] & FLAG_WIDE) === 0 ? lengths & LENGTH_MASK : lengths;
  }

  keyBuffer(ref: number): Buffer {
    const words = this.arena.words[ref >>> CHUNK_SHIFT];
    const word = (ref & UNIT_MASK) << 1;
    if ((words[word] & FLAG_WIDE) !== 0) {
      const id = words[word + WORD_WIDE_KEY_ID];
      if (id !== 0) {
        return this.external.buffers[id];
      }
    }
    return this.arena.buffers[ref >>> CHUNK_SHIFT];
  }

  keyStart(ref: number): number {
    const words = this.arena.words[ref >>> CHUNK_SHIFT];
    const word = (ref & UNIT_MASK) << 1;
    const flags = words[word];
    if ((flags & FLAG_WIDE) !== 0 && words[word + WORD_WIDE_KEY_ID] !== 0) {
      return 0;
    }
    return (word << 2) + headerBytes(flags);
  }

  valueLength(ref: number): number {
    const words = this.arena.words[ref >>> CHUNK_SHIFT];
    const word = (ref & UNIT_MASK) << 1;
    return (words[word] & FLAG_WIDE) === 0
      ? words[word + WORD_LENGTHS] >>> LENGTH_BITS
      : words[word + WORD_WIDE_VALUE_LENGTH];
  }

  valueBuffer(ref: number): Buffer {
    const words = this.arena.words[ref >>> CHUNK_SHIFT];
    const word = (ref & UNIT_MASK) << 1;
    return (words[word] & FLAG_WIDE) === 0
      ? this.arena.buffers[ref >>> CHUNK_SHIFT]
      : this.external.buffers[words[word + WORD_WIDE_VALUE_ID]];
  }

  valueStart(ref: number): number {
    const words = this.arena.words[ref >>> CHUNK_SHIFT];
    const word = (ref & UNIT_MASK) << 1;
    const flags = words[word];
    if ((flags & FLAG_WIDE) !== 0) {
      return 0;
    }
    return (word << 2) + headerBytes(flags) + (words[word + WORD_LENGTHS] & LENGTH_MASK);
  }

  /** Whether the value lies in a Buffer of its own. */
  isWide(ref: number): boolean {
    return (this.#meta(ref) & FLAG_WIDE) !== 0;
  }

  hasExpiry(ref: number): boolean {
    return (this.#meta(ref) & FLAG_EXPIRY) !== 0;
  }

  /** Unix ms; 0 when it has none. */
  expireAtMs(ref: number): number {
    const words = this.arena.words[ref >>> CHUNK_SHIFT];
    const word = (ref & UNIT_MASK) << 1;
    const flags = words[word];
    if ((flags & FLAG_EXPIRY) === 0) {
      return 0;
    }
    const at = word + ((flags & FLAG_WIDE) === 0 ? WORD_EXPIRY_NARROW : WORD_EXPIRY_WIDE);
    this.#doubleWords[0] = words[at]!;
    this.#doubleWords[1] = words[at + 1]!;
    return this.#double[0];
  }

  /** Redis' rule: an entry still lives in the millisecond of its expiry. */
  isExpired(ref: number, nowMs: number): boolean {
    const words = this.arena.words[ref >>> CHUNK_SHIFT];
    return (words[(ref & UNIT_MASK) << 1] & FLAG_EXPIRY) !== 0 && nowMs > this.expireAtMs(ref);
  }

  /** Only for an entry that has an expiry. */
  setExpireAtMs(ref: number, expireAtMs: number): void {
    const at = this.#expiryWord(ref);
    this.#writeExpiry(this.arena.words[ref >>> CHUNK_SHIFT], at, expireAtMs);
  }

  /** Where the table of volatile keys holds it; only for an entry that has an expiry. */
  volatilePlace(ref: number): number {
    return this.arena.words[ref >>> CHUNK_SHIFT][this.#expiryWord(ref) + 2];
  }

  setVolatilePlace(ref: number, place: number): void {
    this.arena.words[ref >>> CHUNK_SHIFT][this.#expiryWord(ref) + 2] = place;
  }

  /** Encoding in the high nibble, type in the low one. */
  typeByte(ref: number): number {
    return (this.#meta(ref) >>> 8) & 0xff;
  }

  epoch(ref: number): number {
    return this.#meta(ref) >>> 16;
  }

  setEpoch(ref: number, epoch: number): void {
    const words = this.arena.words[ref >>> CHUNK_SHIFT];
    const word = ((ref & UNIT_MASK) << 1) + WORD_META;
    words[word] = (words[word] & 0xffff) | (epoch << 16);
  }

  /** Unix seconds, modulo 2^32. */
  clockSeconds(ref: number): number {
    return this.arena.words[ref >>> CHUNK_SHIFT][((ref & UNIT_MASK) << 1) + WORD_CLOCK];
  }

  setClockSeconds(ref: number, clockSeconds: number): void {
    this.arena.words[ref >>> CHUNK_SHIFT][((ref & UNIT_MASK) << 1) + WORD_CLOCK] = clockSeconds;
  }

  /** Bytes of its block and of Buffers of its own. */
  entryBytes(ref: number): number {
    const words = this.arena.words[ref >>> CHUNK_SHIFT];
    const word = (ref & UNIT_MASK) << 1;
    let bytes = CLASS_BYTES[sizeClassOf(this.#blockContentBytes(words, word))];
    if ((words[word] & FLAG_WIDE) !== 0) {
      bytes += this.#wide.externalBytes(ref);
    }
    return bytes;
  }

  /** Bytes in use in its block. */
  blockContentBytes(ref: number): number {
    return this.#blockContentBytes(this.arena.words[ref >>> CHUNK_SHIFT], (ref & UNIT_MASK) << 1);
  }

  /** Ids of its external key and value, those it has. */
  externalIds(ref: number): number[] {
    return this.isWide(ref) ? this.#wide.externalIds(ref) : [];
  }

  keyEquals(ref: number, key: Uint8Array, start: number, end: number): boolean {
    const words = this.arena.words[ref >>> CHUNK_SHIFT];
    const word = (ref & UNIT_MASK) << 1;
    const flags = words[word];
    if ((flags & FLAG_WIDE) !== 0) {
      return this.compareKey(ref, key, start, end) === 0;
    }
    const length = end - start;
    if ((words[word + WORD_LENGTHS] & LENGTH_MASK) !== length) {
      return false;
    }
    // Headers are whole words long, so the key begins at a word.
    let keyWord = word + (headerBytes(flags) >>> 2);
    const wordsEnd = start + (length & ~3);
    let at = start;
    for (; at < wordsEnd; at += 4, keyWord += 1) {
      const given = key[at] | (key[at + 1] << 8) | (key[at + 2] << 16) | (key[at + 3] << 24);
      if ((words[keyWord] | 0) !== given) {
        return false;
      }
    }
    // The last word is read only where there is one: behind the last block of a chunk there is nothing.
    for (let shift = 0; at < end; at += 1, shift += 8) {
      if (((words[keyWord] >>> shift) & 0xff) !== key[at]) {
        return false;
      }
    }
    return true;
  }

  /** Orders an entry's key and a range bytewise: below 0, 0 or above 0. */
  compareKey(ref: number, key: Uint8Array, start: number, end: number): number {
    const from = this.keyStart(ref);
    return this.keyBuffer(ref).compare(key, start, end, from, from + this.keyLength(ref));
  }

  /** Copies `length` bytes from `source[start...]` over the value; `source` may be the same memory. */
  writeValue(ref: number, source: Uint8Array, start: number, end: number): void {
    copyBytes(source, start, end, this.valueBuffer(ref), this.valueStart(ref));
  }

  /**
   * Turns a narrow entry into one with a new value length in place, when the block allows it and the expiry stays as it
   * is. The value's content is then undefined. False when it does not fit.
   */
  tryReplaceNarrow(ref: number, valueLength: number): boolean {
    const words = this.arena.words[ref >>> CHUNK_SHIFT];
    const word = (ref & UNIT_MASK) << 1;
    const flags = words[word];
    if ((flags & FLAG_WIDE) !== 0) {
      return false;
    }
    const lengths = words[word + WORD_LENGTHS];
    const keyLength = lengths & LENGTH_MASK;
    if (keyLength + valueLength > NARROW_CONTENT_BYTES_MAX) {
      return false;
    }
    const rest = headerBytes(flags) + keyLength;
    if (sizeClassOf(rest + valueLength) !== sizeClassOf(rest + (lengths >>> LENGTH_BITS))) {
      return false;
    }
    words[word + WORD_LENGTHS] = keyLength | (valueLength << LENGTH_BITS);
    return true;
  }

  /**
   * Makes the value `valueLength` long, keeping bytes up to the smaller length (new ones are undefined) and all else,
   * and returns the entry, which may have moved. `mayWriteBuffer` is false when a snapshot holds the value's own
   * Buffer: it is then left as it is and the entry gets another.
   */
  resizeValue(ref: number, valueLength: number, mayWriteBuffer: boolean): number {
    if (this.tryReplaceNarrow(ref, valueLength)) {
      return ref;
    }
    if (this.isWide(ref) && this.keyLength(ref) + valueLength > NARROW_CONTENT_BYTES_MAX) {
      this.#wide.resizeValue(ref, valueLength, mayWriteBuffer);
      return ref;
    }
    const keyStart = this.keyStart(ref);
    const keyEnd = keyStart + this.keyLength(ref);
    const fields = this.#fields(ref, this.expireAtMs(ref));
    const moved = this.create(fields, this.keyBuffer(ref), keyStart, keyEnd, valueLength);
    const kept = Math.min(valueLength, this.valueLength(ref));
    const valueStart = this.valueStart(ref);
    this.writeValue(moved, this.valueBuffer(ref), valueStart, valueStart + kept);
    this.#finishMove(ref, moved);
    return moved;
  }

  /** Gives the entry an expiry, another one, or (0) none; returns the entry, which may have moved. */
  changeExpiry(ref: number, expireAtMs: number): number {
    if (this.hasExpiry(ref) === (expireAtMs !== 0)) {
      if (expireAtMs !== 0) {
        this.setExpireAtMs(ref, expireAtMs);
      }
      return ref;
    }
    const keyStart = this.keyStart(ref);
    const keyEnd = keyStart + this.keyLength(ref);
    const fields = this.#fields(ref, expireAtMs);
    const key = this.keyBuffer(ref);
    if (this.isWide(ref)) {
      const moved = this.#createWide(fields, key, keyStart, keyEnd, 0);
      this.#wide.moveValue(ref, moved);
      this.destroy(ref);
      return moved;
    }
    const moved = this.create(fields, key, keyStart, keyEnd, this.valueLength(ref));
    const valueStart = this.valueStart(ref);
    const valueEnd = valueStart + this.valueLength(ref);
    this.writeValue(moved, this.valueBuffer(ref), valueStart, valueEnd);
    this.destroy(ref);
    return moved;
  }

  #meta(ref: number): number {
    return this.arena.words[ref >>> CHUNK_SHIFT][(ref & UNIT_MASK) << 1];
  }

  #fields(ref: number, expireAtMs: number): EntryFields {
    return {
      typeByte: this.typeByte(ref),
      epoch: this.epoch(ref),
      clockSeconds: this.clockSeconds(ref),
      expireAtMs,
    };
  }

  /** Takes over the place in the volatile table, which the caller's table then repeats for the new reference. */
  #finishMove(ref: number, moved: number): void {
    if (this.hasExpiry(ref)) {
      this.setVolatilePlace(moved, this.volatilePlace(ref));
    }
    this.destroy(ref);
  }

  #createWide(
    fields: EntryFields,
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    valueLength: number,
  ): number {
    const expiryFlag = fields.expireAtMs === 0 ? 0 : FLAG_EXPIRY;
    const ref = this.#wide.create(fields, expiryFlag, key, keyStart, keyEnd, valueLength);
    if (expiryFlag !== 0) {
      this.setExpireAtMs(ref, fields.expireAtMs);
    }
    return ref;
  }

  #expiryWord(ref: number): number {
    const flags = this.#meta(ref);
    assertInvariant((flags & FLAG_EXPIRY) !== 0, "an entry without expiry is asked for it");
    const at = (flags & FLAG_WIDE) === 0 ? WORD_EXPIRY_NARROW : WORD_EXPIRY_WIDE;
    return ((ref & UNIT_MASK) << 1) + at;
  }

  #writeExpiry(words: Uint32Array, at: number, expireAtMs: number): void {
    this.#double[0] = expireAtMs;
    words[at] = this.#doubleWords[0]!;
    words[at + 1] = this.#doubleWords[1]!;
  }

  #blockContentBytes(words: Uint32Array, word: number): number {
    const flags = words[word];
    const lengths = words[word + WORD_LENGTHS];
    if ((flags & FLAG_WIDE) === 0) {
      return headerBytes(flags) + (lengths & LENGTH_MASK) + (lengths >>> LENGTH_BITS);
    }
    return headerBytes(flags) + (words[word + WORD_WIDE_KEY_ID] === 0 ? lengths : 0);
  }
}
