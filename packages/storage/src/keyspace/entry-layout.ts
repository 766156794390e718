/**
 * How an entry lies in its block. All numbers are little-endian 32-bit words, because the header is read through a
 * word view of the chunk.
 *
 *   byte  0       1                 2       4              8                                   12
 *         | flags | encoding | type | epoch | access clock | value length 14 bits | key length 14 bits |
 *
 *   WIDE        | value length | key id | value id |     the word before then holds the key length (32 bits)
 *   HAS_EXPIRY  | expiry in Unix ms, a double       | place in the table of volatile keys |
 *   key bytes, value bytes
 *
 * flags: bit 0 HAS_EXPIRY, bit 1 WIDE. type and encoding are nibbles; the only ones there are now are string and raw.
 * An entry is wide when key, value and the longest narrow header do not fit the largest block. Its value then lies in a
 * Buffer of its own (value id), its key in the block, or in a Buffer of its own when it does not fit either (key id,
 * else 0). Whether an entry is wide depends on its lengths only, so equal contents have equal shapes on every node.
 *
 * epoch: the snapshot epoch in which it was last written (see `snapshot-writer.ts`). access clock: Unix seconds,
 * modulo 2^32.
 */
import { BLOCK_BYTES_MAX } from "./size-classes.ts";

export const FLAG_EXPIRY = 1;
export const FLAG_WIDE = 2;

export const NARROW_HEADER_BYTES = 12;
export const EXPIRY_BYTES = 12;
export const WIDE_BYTES = 12;

/** Key and value of a narrow entry have this many bytes together at most. */
export const NARROW_CONTENT_BYTES_MAX: number =
  BLOCK_BYTES_MAX - NARROW_HEADER_BYTES - EXPIRY_BYTES;
/** The key of a wide entry lies in the block up to this length. */
export const WIDE_INLINE_KEY_BYTES_MAX: number = NARROW_CONTENT_BYTES_MAX - WIDE_BYTES;

/** Word offsets in an entry. */
export const WORD_META = 0;
export const WORD_CLOCK = 1;
export const WORD_LENGTHS = 2;
export const WORD_WIDE_VALUE_LENGTH = 3;
export const WORD_WIDE_KEY_ID = 4;
export const WORD_WIDE_VALUE_ID = 5;
/** Offset of the expiry's first word, narrow and wide. */
export const WORD_EXPIRY_NARROW = 3;
export const WORD_EXPIRY_WIDE = 6;

export const LENGTH_BITS = 14;
export const LENGTH_MASK = 0x3fff;

/** Bytes before the key, by flags. */
export function headerBytes(flags: number): number {
  return 12 + (flags & FLAG_EXPIRY) * 12 + ((flags & FLAG_WIDE) >>> 1) * 12;
}

/** The longest key, in bytes (Redis' limit for a bulk string). */
export const KEY_BYTES_MAX: number = 512 * 1024 * 1024;
/** The longest value, in bytes (Redis' proto-max-bulk-len). */
export const VALUE_BYTES_MAX: number = 512 * 1024 * 1024;

export const ENCODING_RAW = 0;

/** What is written into the header of a new entry besides its lengths. */
export interface EntryFields {
  /** Encoding in the high nibble, type in the low one. */
  typeByte: number;
  epoch: number;
  clockSeconds: number;
  /** 0 = none. */
  expireAtMs: number;
}
