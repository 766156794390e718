/**
 * What a snapshot of the keyspace looks like. All numbers are little-endian.
 *
 *   start    | "FKS" | version 1 | number of entries, 64 bits |                                       12 bytes
 *   entry    | 1 or 2 | encoding, type | key length u32 | value length u32 | (2: expiry) | key | value |
 *   end      | 255 |
 *
 * 1 = without, 2 = with expiry (a double, Unix ms). The access clock is each node's own and not in it. There is no
 * checksum: the store that keeps the bytes has one over the whole file.
 */
export const MAGIC_BYTES: readonly number[] = [0x46, 0x4b, 0x53];
export const FORMAT_VERSION = 1;
export const START_BYTES = 12;

export const KIND_ENTRY = 1;
export const KIND_ENTRY_WITH_EXPIRY = 2;
export const KIND_END = 255;

export const RECORD_HEADER_BYTES = 10;
export const RECORD_EXPIRY_BYTES = 8;
export const RECORD_HEADER_BYTES_MAX: number = RECORD_HEADER_BYTES + RECORD_EXPIRY_BYTES;

export const OFFSET_COUNT_LOW = 4;
export const OFFSET_COUNT_HIGH = 8;
export const OFFSET_TYPE = 1;
export const OFFSET_KEY_LENGTH = 2;
export const OFFSET_VALUE_LENGTH = 6;
export const OFFSET_EXPIRY = 10;
