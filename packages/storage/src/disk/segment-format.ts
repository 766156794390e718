/**
 * A segment is one file of the log. It is filled with zeros and made durable before its header is written: a write
 * that a crash cut off is later recognised by the zeros it left (record-scan.ts).
 *
 *    0        512                                                  sizeBytes
 *    +--------+----------+----------+-- ... --+--------+---- ... ----+
 *    | header | record   | record   |         | seal   | zeros       |
 *    +--------+----------+----------+-- ... --+--------+---- ... ----+
 *
 * The header fills one sector, so that a crash leaves all of it or nothing:
 *
 *    0   magic "FERRLOG1" (8)             64   cluster id, UTF-8 (clusterIdSize)
 *    8   version u16                      128  hard state at the time the segment began
 *    10  flags u16                             (hardStateSize; hard-state-codec.ts)
 *    12  group id u32                     280  key slots (144)  } encrypted segments only
 *    16  segment number u64               424  tag (16)         }
 *    24  size of the file in bytes u64    504  CRC-32 of bytes 0..503 without the key slots (u32)
 *    32  sequence of its first record u64 508  end mark (4), no byte of it zero
 *    40  index before its first entry u64
 *    48  term of that index u64
 *    56  salt u32
 *    60  clusterIdSize u16
 *    62  hardStateSize u16
 *
 * The salt goes into the checksum of every record header of the segment: bytes a client put into a value can not pass
 * for a record. Flag 0: the log begins anew here, all earlier segments are void. Flag 1: the segment is encrypted, with
 * the data key in the key slots (file-envelope.ts). Then the hard state is encrypted, and the tag proves it together
 * with bytes 0..127; the nonce is twelve zeros, which no record has (record-cipher.ts), and is used once: a header is
 * written once in the life of a data key. A version that does not know a flag refuses the file.
 */
import { crc32 } from "node:zlib";
import type { HardState, Index, Term } from "@ferrite/raft";
import { nonceBytes, seal, tagBytes, unseal } from "./aead.ts";
import type { AtRestKeys } from "./at-rest-keys.ts";
import { StorageError, damaged, notAuthentic, notEncrypted } from "./errors.ts";
import type { StorageErrorPlace } from "./errors.ts";
import { keySlotsAt, keySlotsEnd, openEnvelope } from "./file-envelope.ts";
import type { FileEnvelope, FileKey } from "./file-envelope.ts";
import { fileContextBytes } from "./file-identity.ts";
import type { FileIdentity } from "./file-identity.ts";
import { decodeHardState, encodeHardState } from "./hard-state-codec.ts";
import { readU16, readU32, readU64, writeU16, writeU32, writeU64 } from "./little-endian.ts";

/** A crash leaves each aligned piece of this size old or new, never a mixture. */
export const sectorBytes = 512;
/** One sector. */
export const segmentHeaderBytes = 512;
/** Longest cluster id, in bytes of UTF-8. */
export const clusterIdBytesMax = 64;

const formatVersion = 1;
const flagBeginsAnew = 1;
const flagEncrypted = 2;
const knownFlags: number = flagBeginsAnew | flagEncrypted;

const magic: Uint8Array = new TextEncoder().encode("FERRLOG1");
const endMark = 0x9c_a5_c3_e7;

const clusterIdAt = 64;
const hardStateAt = 128;
const tagAt: number = keySlotsEnd;
const checksumAt = 504;
const endMarkAt = 508;

export interface SegmentHeader {
  readonly number: number;
  readonly sizeBytes: number;
  readonly clusterId: string;
  readonly groupId: number;
  readonly firstSequence: number;
  /** The last index before this segment. */
  readonly baseIndex: Index;
  readonly baseTerm: Term;
  readonly salt: number;
  /** True when everything in earlier segments is void. */
  readonly beginsAnew: boolean;
  readonly hardState: HardState | null;
}

/** A header as it was read, with the key of the segment; null when it is not encrypted. */
export interface OpenedSegmentHeader extends SegmentHeader {
  readonly key: FileKey | null;
}

/** What is known of a segment before its header is read. */
export interface ExpectedSegment {
  readonly file: string;
  readonly number: number;
  readonly clusterId: string;
  readonly groupId: number;
  readonly encryption?: AtRestKeys | null;
}

/** What the segment of that number is bound to. */
export function segmentIdentity(
  segment: Pick<SegmentHeader, "number" | "clusterId" | "groupId">,
): FileIdentity {
  const { clusterId, groupId, number } = segment;
  return { kind: "log", name: segmentFileName(number), clusterId, groupId };
}

/** `00000000000000000007.log`: sorted by name is sorted by number. */
export function segmentFileName(number: number): string {
  return `${String(number).padStart(20, "0")}.log`;
}

/** The number in a segment's file name, or null for any other file. */
export function segmentNumberOf(name: string): number | null {
  return /^[0-9]{20}\.log$/.test(name) ? Number(name.slice(0, 20)) : null;
}

/** Encrypted with an `envelope`, which is the segment's own. Throws `limitExceeded` when an id is too long. */
export function encodeSegmentHeader(
  header: SegmentHeader,
  envelope: FileEnvelope | null = null,
): Uint8Array {
  const clusterId = new TextEncoder().encode(header.clusterId);
  if (clusterId.length > clusterIdBytesMax) {
    throw new StorageError(
      "limitExceeded",
      `The cluster id has ${clusterId.length} bytes; at most ${clusterIdBytesMax} can be stored`,
    );
  }
  const hardState = encodeHardState(header.hardState);
  const bytes = new Uint8Array(segmentHeaderBytes);
  bytes.set(magic, 0);
  writeU16(bytes, 8, formatVersion);
  writeU16(
    bytes,
    10,
    (header.beginsAnew ? flagBeginsAnew : 0) | (envelope === null ? 0 : flagEncrypted),
  );
  writeU32(bytes, 12, header.groupId);
  writeU64(bytes, 16, header.number);
  writeU64(bytes, 24, header.sizeBytes);
  writeU64(bytes, 32, header.firstSequence);
  writeU64(bytes, 40, header.baseIndex);
  writeU64(bytes, 48, header.baseTerm);
  writeU32(bytes, 56, header.salt);
  writeU16(bytes, 60, clusterId.length);
  writeU16(bytes, 62, hardState.length);
  bytes.set(clusterId, clusterIdAt);
  if (envelope === null) {
    bytes.set(hardState, hardStateAt);
  } else {
    bytes.set(envelope.slot, keySlotsAt);
    const sealed = seal(sealOf(bytes, envelope.key), hardState);
    bytes.set(sealed.subarray(0, hardState.length), hardStateAt);
    bytes.set(sealed.subarray(hardState.length), tagAt);
  }
  writeU32(bytes, checksumAt, headerChecksum(bytes));
  writeU32(bytes, endMarkAt, endMark);
  return bytes;
}

/** Key, nonce and AAD of the hard state in the header. */
function sealOf(
  bytes: Uint8Array,
  key: FileKey,
): { readonly key: Uint8Array; readonly nonce: Uint8Array; readonly aad: Uint8Array } {
  const aad = new Uint8Array(fileContextBytes + hardStateAt);
  aad.set(key.context, 0);
  aad.set(bytes.subarray(0, hardStateAt), fileContextBytes);
  return { key: key.bytes, nonce: new Uint8Array(nonceBytes), aad };
}

/** The key slots have checksums of their own: they are written anew while the rest stays. */
function headerChecksum(bytes: Uint8Array): number {
  if (!isEncryptedHeader(bytes)) {
    return crc32(bytes.subarray(0, checksumAt));
  }
  const before = crc32(bytes.subarray(0, keySlotsAt));
  return crc32(bytes.subarray(keySlotsEnd, checksumAt), before);
}

function isEncryptedHeader(bytes: Uint8Array): boolean {
  return (readU16(bytes, 10) & flagEncrypted) !== 0;
}

/** What the encrypted segment with this first sector is bound to; null when it is none. */
export function encryptedSegmentIdentity(sector: Uint8Array): FileIdentity | null {
  if (!hasMagic(sector) || !isEncryptedHeader(sector)) {
    return null;
  }
  const clusterId = clusterIdOf(sector);
  return segmentIdentity({ number: readU64(sector, 16), clusterId, groupId: readU32(sector, 12) });
}

function hasMagic(bytes: Uint8Array): boolean {
  return magic.every((byte, i) => bytes[i] === byte);
}

function clusterIdOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes.subarray(clusterIdAt, clusterIdAt + readU16(bytes, 60)));
}

/** Whether header bytes are wrong in the way a cut-off write leaves them: its first or its last bytes are still zero. */
export function isCutSegmentHeader(bytes: Uint8Array): boolean {
  return readU64(bytes, 0) === 0 || readU32(bytes, endMarkAt) === 0;
}

export function segmentChecksumFits(bytes: Uint8Array): boolean {
  return readU32(bytes, checksumAt) === headerChecksum(bytes);
}

/**
 * Decodes and checks a header.
 *
 * Throws `damaged`, `unknownVersion`, `foreignCluster` or `foreignGroup`, naming the file; and `encrypted`,
 * `notEncrypted`, `missingKey` or `wrongKey`.
 */
export function decodeSegmentHeader(
  bytes: Uint8Array,
  expected: ExpectedSegment,
): OpenedSegmentHeader {
  const place = { file: expected.file, offsetBytes: 0 };
  if (!segmentChecksumFits(bytes) || !hasMagic(bytes)) {
    throw damaged("The header of this log segment does not match its checksum", place);
  }
  const version = readU16(bytes, 8);
  const flags = readU16(bytes, 10);
  if (version !== formatVersion || (flags & ~knownFlags) !== 0) {
    throw new StorageError(
      "unknownVersion",
      `This log segment has format version ${version} with flags ${flags}; this program reads version ` +
        `${formatVersion} with flags up to ${knownFlags}. Start the version that wrote it`,
      { place },
    );
  }
  const clusterId = clusterIdOf(bytes);
  if (clusterId !== expected.clusterId) {
    throw new StorageError(
      "foreignCluster",
      `This log segment belongs to cluster ${clusterId}, this node to ${expected.clusterId}. Start the node with ` +
        `its own data directory`,
      { place },
    );
  }
  const groupId = readU32(bytes, 12);
  if (groupId !== expected.groupId) {
    throw new StorageError(
      "foreignGroup",
      `This log segment belongs to group ${groupId}, expected was ${expected.groupId}. Put the file back where it ` +
        `came from`,
      { place },
    );
  }
  const number = readU64(bytes, 16);
  if (number !== expected.number) {
    throw damaged(`This file holds log segment ${number}, its name says ${expected.number}`, place);
  }
  const key = keyOfSegment(bytes, expected);
  const hardState = decodeHardState(hardStateBytesOf(bytes, key, place));
  if (hardState === undefined) {
    throw damaged("The hard state in the header of this log segment can not be read", place);
  }
  return {
    number,
    sizeBytes: readU64(bytes, 24),
    clusterId,
    groupId,
    firstSequence: readU64(bytes, 32),
    baseIndex: readU64(bytes, 40),
    baseTerm: readU64(bytes, 48),
    salt: readU32(bytes, 56),
    beginsAnew: (flags & flagBeginsAnew) !== 0,
    hardState,
    key,
  };
}

function keyOfSegment(bytes: Uint8Array, expected: ExpectedSegment): FileKey | null {
  const { file } = expected;
  const keys = expected.encryption ?? null;
  if (isEncryptedHeader(bytes)) {
    return openEnvelope(bytes, segmentIdentity(expected), { keys, file });
  }
  if (keys !== null && !keys.acceptsPlainFiles) {
    throw notEncrypted({ file, offsetBytes: 0 });
  }
  return null;
}

function hardStateBytesOf(
  bytes: Uint8Array,
  key: FileKey | null,
  place: StorageErrorPlace,
): Uint8Array {
  const stored = bytes.subarray(hardStateAt, hardStateAt + readU16(bytes, 62));
  if (key === null) {
    return stored;
  }
  const sealed = new Uint8Array(stored.length + tagBytes);
  sealed.set(stored, 0);
  sealed.set(bytes.subarray(tagAt, tagAt + tagBytes), stored.length);
  const plain = unseal(sealOf(bytes, key), sealed);
  if (plain === null) {
    throw notAuthentic("The header of this log segment", place);
  }
  return plain;
}
