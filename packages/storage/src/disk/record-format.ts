/**
 * A log record: what one fdatasync made durable. The next record is not written before that is done, so a whole
 * record behind a broken one proves that the broken one had been durable: damage, not a cut-off write.
 *
 *    0        64                                             extent (a multiple of 64)
 *    +--------+------------------+------------+---- .. ----+----------+
 *    | header | entries          | hard state | zeros      | end mark |
 *    +--------+------------------+------------+---- .. ----+----------+
 *             |<--------- bodySize ---------->|            |<-- 4 --->|
 *
 * Records start at multiples of 64, so a header never straddles two sectors. The header:
 *
 *    0   magic u32                        36  position in the file u32
 *    4   version u8                       40  CRC-32 of the body u32
 *    5   flags u8 (bit 0: seal,           44  header checksum of the record before u32
 *        bit 1: encrypted)                48  salt of the encryption (8); zero without
 *    6   hardStateSize u16
 *    8   sequence u64                     56  CRC-32 of bytes 0..55, started with the salt
 *    16  index of the first entry u64     60  end mark (4), no byte of it zero
 *    24  number of entries u32
 *    28  bodySize u32
 *    32  segment number, low 32 bits u32
 *
 * The checksum of the header covers that of the body, which covers everything else. Sequences grow by one from record
 * to record through all segments. A seal is a record without body: the log goes on in the next segment. It may be
 * missing (a crash came between), so the chain of checksums leaves it out.
 *
 * In an encrypted segment every record, a seal too, has the flag and a body of ciphertext and tag (record-cipher.ts).
 */
import { crc32 } from "node:zlib";
import type { Index } from "@ferrite/raft";
import { tagBytes } from "./aead.ts";
import { readU16, readU32, readU64, writeU16, writeU32, writeU64 } from "./little-endian.ts";
import type { RecordSealer } from "./record-cipher.ts";

export const recordHeaderBytes = 64;
export const recordAlignmentBytes = 64;
/** Longest body of a record: 1 GiB. One write that is larger is refused. */
export const recordBodyBytesMax: number = 1024 * 1024 * 1024;

const recordMagic = 0x43_45_52_46;
const recordVersion = 1;
const flagSeal = 1;
const flagEncrypted = 2;
const knownFlags: number = flagSeal | flagEncrypted;
const endMark = 0xe7_c3_a5_9c;
const endMarkBytes = 4;
const headerChecksumAt = 56;
const headerEndMarkAt = 60;

export interface RecordHeader {
  readonly version: number;
  readonly flags: number;
  readonly seal: boolean;
  readonly encrypted: boolean;
  readonly sequence: number;
  readonly firstIndex: Index;
  readonly entryCount: number;
  /** As it is stored, with the tag. */
  readonly bodyBytes: number;
  readonly hardStateBytes: number;
  readonly segmentNumber: number;
  readonly position: number;
  readonly bodyChecksum: number;
  readonly previousChecksum: number;
  readonly checksum: number;
}

/** What the writer of a record decides; the rest of the header follows from the bytes. */
export interface RecordFields {
  readonly seal: boolean;
  readonly sequence: number;
  readonly firstIndex: Index;
  readonly entryCount: number;
  /** Before encryption. */
  readonly bodyBytes: number;
  readonly hardStateBytes: number;
  readonly segmentNumber: number;
  readonly position: number;
  readonly previousChecksum: number;
  readonly salt: number;
}

/** Bytes of a body as it is stored. */
export function storedBodyBytes(bodyBytes: number, isEncrypted: boolean): number {
  return isEncrypted ? bodyBytes + tagBytes : bodyBytes;
}

/** Bytes that a record with such a body, as it is stored, takes in the file. */
export function recordExtentBytes(bodyBytes: number): number {
  const bytes = recordHeaderBytes + bodyBytes + endMarkBytes;
  return Math.ceil(bytes / recordAlignmentBytes) * recordAlignmentBytes;
}

/** Room that is kept free at the end of every segment for its seal, encrypted or not. */
export const sealExtentBytes: number = recordExtentBytes(tagBytes);

/**
 * Completes a record whose body is already at `recordHeaderBytes` of `bytes` (which has the length of the extent):
 * header, padding and end mark; with a `sealer` the body is encrypted in its place. Returns the header's checksum,
 * which the next record repeats.
 */
export function finishRecord(
  bytes: Uint8Array,
  fields: RecordFields,
  sealer: RecordSealer | null = null,
): number {
  const bodyBytes = storedBodyBytes(fields.bodyBytes, sealer !== null);
  const bodyEnd = recordHeaderBytes + bodyBytes;
  bytes.fill(0, bodyEnd, bytes.length - endMarkBytes);
  writeU32(bytes, bytes.length - endMarkBytes, endMark);
  writeU32(bytes, 0, recordMagic);
  bytes[4] = recordVersion;
  bytes[5] = (fields.seal ? flagSeal : 0) | (sealer === null ? 0 : flagEncrypted);
  writeU16(bytes, 6, fields.hardStateBytes);
  writeU64(bytes, 8, fields.sequence);
  writeU64(bytes, 16, fields.firstIndex);
  writeU32(bytes, 24, fields.entryCount);
  writeU32(bytes, 28, bodyBytes);
  writeU32(bytes, 32, fields.segmentNumber % 4_294_967_296);
  writeU32(bytes, 36, fields.position);
  writeU32(bytes, 44, fields.previousChecksum);
  writeU64(bytes, 48, 0);
  sealer?.seal(bytes, fields.bodyBytes);
  writeU32(bytes, 40, crc32(bytes.subarray(recordHeaderBytes, bodyEnd)));
  const checksum = crc32(bytes.subarray(0, headerChecksumAt), fields.salt);
  writeU32(bytes, headerChecksumAt, checksum);
  writeU32(bytes, headerEndMarkAt, endMark);
  return checksum;
}

/** The header at `at`, or null when its magic or its checksum is wrong. */
export function readRecordHeader(bytes: Uint8Array, at: number, salt: number): RecordHeader | null {
  if (readU32(bytes, at) !== recordMagic) {
    return null;
  }
  const checksum = readU32(bytes, at + headerChecksumAt);
  if (crc32(bytes.subarray(at, at + headerChecksumAt), salt) !== checksum) {
    return null;
  }
  const flags = bytes[at + 5];
  return {
    version: bytes[at + 4],
    flags,
    seal: (flags & flagSeal) !== 0,
    encrypted: (flags & flagEncrypted) !== 0,
    hardStateBytes: readU16(bytes, at + 6),
    sequence: readU64(bytes, at + 8),
    firstIndex: readU64(bytes, at + 16),
    entryCount: readU32(bytes, at + 24),
    bodyBytes: readU32(bytes, at + 28),
    segmentNumber: readU32(bytes, at + 32),
    position: readU32(bytes, at + 36),
    bodyChecksum: readU32(bytes, at + 40),
    previousChecksum: readU32(bytes, at + 44),
    checksum,
  };
}

/** Whether this program knows everything the header asks for. */
export function isKnownRecord(header: RecordHeader): boolean {
  return header.version === recordVersion && (header.flags & ~knownFlags) === 0;
}

export function bodyChecksumFits(bytes: Uint8Array, at: number, header: RecordHeader): boolean {
  const start = at + recordHeaderBytes;
  return crc32(bytes.subarray(start, start + header.bodyBytes)) === header.bodyChecksum;
}

/** Whether the first bytes of a header were never written: its sector is missing. */
export function hasNoRecordStart(bytes: Uint8Array, at: number): boolean {
  return readU32(bytes, at) === 0;
}

/** Whether the last bytes of a header were never written: the write ended inside it. */
export function hasNoRecordEnd(bytes: Uint8Array, at: number): boolean {
  return bytes[at + recordHeaderBytes - 1] === 0;
}

/** Whether the end mark of a record that ends at `end` was not written completely. */
export function isCutRecordEnd(bytes: Uint8Array, end: number): boolean {
  return bytes[end - 1] === 0;
}
