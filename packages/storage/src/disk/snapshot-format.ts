/**
 * A snapshot file, named `snapshot-<index>-<term>`:
 *
 *    0        128       128 + metaSize
 *    +--------+---------+---------------------------+----------------+---------+
 *    | header | meta    | body                      | block checksums| trailer |
 *    +--------+---------+---------------------------+----------------+---------+
 *
 *    header:  0 magic "FERRSNP1" (8)   8 version u16   10 flags u16   12 group id u32
 *             16 metaSize u32   20 clusterIdSize u16   24 cluster id (64)   124 CRC-32 of bytes 0..123 and the meta
 *    meta:    msgpack: index, term, configuration
 *    block checksums: a CRC-32 (u32) for each 256 KiB of the body; the last block may be shorter
 *    trailer: 0 magic "FERRSNPE" (8)   8 bodySize u64   16 CRC-32 of the block checksums u32
 *             20 the header's CRC-32 u32   24 CRC-32 of bytes 0..23 u32   28 end mark (4)
 *
 * The trailer is written last: a file without one was never finished. Blocks have checksums of their own so that a
 * part that is read for a follower is checked too: rot on this disk must not travel under a fresh checksum to others.
 * A version that does not know a flag refuses the file.
 *
 * Flag 0: the snapshot is encrypted (snapshot-cipher.ts). Then the header fills a sector, which holds the wrapped data
 * key, the meta has a tag behind it, which metaSize counts, and the end has the tags of the blocks and one of itself:
 *
 *    0            512      512 + metaSize
 *    +------------+--------+----------------------+----------------+------------+----------+---------+
 *    | header     | meta   | body                 | block checksums| block tags | end tag  | trailer |
 *    | key slots  | tag    |                      | (4 a block)    | (16 each)  | (16)     |         |
 *    +------------+--------+----------------------+----------------+------------+----------+---------+
 *
 *    header:  as above, CRC-32 of bytes 0..123, 128..279, 424..511 and the meta; 280 key slots (file-envelope.ts)
 *    trailer: as above; its first CRC-32 is that of checksums, tags and end tag
 */
import { crc32 } from "node:zlib";
import type { Index, SnapshotMeta, Term } from "@ferrite/raft";
import { tagBytes } from "./aead.ts";
import type { AtRestKeys } from "./at-rest-keys.ts";
import { StorageError, damaged, notAuthentic, notEncrypted } from "./errors.ts";
import { keySlotsAt, keySlotsEnd, openEnvelope } from "./file-envelope.ts";
import type { FileEnvelope } from "./file-envelope.ts";
import type { FileIdentity } from "./file-identity.ts";
import { readU16, readU32, readU64, writeU16, writeU32, writeU64 } from "./little-endian.ts";
import { clusterIdBytesMax, sectorBytes } from "./segment-format.ts";
import type { BlockProofs } from "./snapshot-blocks.ts";
import { SnapshotCipher } from "./snapshot-cipher.ts";
import { decodeSnapshotMeta, snapshotMetaBytesMax } from "./snapshot-meta.ts";

export const snapshotHeaderBytes = 128;
/** Bytes from which header and meta of every snapshot can be read. */
export const snapshotStartBytesMax: number = sectorBytes + snapshotMetaBytesMax + tagBytes;
export const snapshotTrailerBytes = 32;
export const snapshotBlockBytes: number = 256 * 1024;
/** Longest body of a snapshot: 256 GiB. */
export const snapshotBodyBytesMax: number = 256 * 1024 * 1024 * 1024;

const formatVersion = 1;
const headerMagic: Uint8Array = new TextEncoder().encode("FERRSNP1");
const trailerMagic: Uint8Array = new TextEncoder().encode("FERRSNPE");
const endMark = 0xa5_9c_e7_c3;
const clusterIdAt = 24;
const headerChecksumAt = 124;
const flagEncrypted = 1;
const knownFlags: number = flagEncrypted;
const checksumBytes = 4;

/** Whose snapshots these are. */
export interface SnapshotOwner {
  readonly clusterId: string;
  readonly groupId: number;
}

/** What is known of a snapshot before it is read. */
export interface ExpectedSnapshot extends SnapshotOwner {
  readonly file: string;
  readonly encryption?: AtRestKeys | null;
}

/** Header and meta of a new snapshot. */
export interface SnapshotStart {
  readonly bytes: Uint8Array;
  readonly checksum: number;
  readonly cipher: SnapshotCipher | null;
}

export interface SnapshotTrailer {
  readonly bodyBytes: number;
  readonly blocksChecksum: number;
  readonly headerChecksum: number;
}

export function snapshotFileName(position: { readonly index: Index; readonly term: Term }): string {
  return `snapshot-${String(position.index).padStart(20, "0")}-${String(position.term).padStart(20, "0")}`;
}

/** Index and term in a snapshot's file name, or null for any other file. */
export function snapshotPositionOf(
  name: string,
): { readonly index: Index; readonly term: Term } | null {
  const match = /^snapshot-([0-9]{20})-([0-9]{20})$/.exec(name);
  return match === null ? null : { index: Number(match[1]), term: Number(match[2]) };
}

/** What the snapshot of that file name is bound to. */
export function snapshotIdentity(owner: SnapshotOwner, name: string): FileIdentity {
  return { kind: "snapshot", name, clusterId: owner.clusterId, groupId: owner.groupId };
}

/** Whether a file of that name is a snapshot, finished or not. */
export function isSnapshotName(name: string): boolean {
  return finalNameOf(name) !== null;
}

/** The name a snapshot has, or will have once it is finished; null for any other file. */
function finalNameOf(name: string): string | null {
  return /^(snapshot-[0-9]{20}-[0-9]{20})(?:\.[0-9]+\.tmp)?$/.exec(name)?.[1] ?? null;
}

/** What the encrypted snapshot with this first sector is bound to; null when it is none. */
export function encryptedSnapshotIdentity(sector: Uint8Array, path: string): FileIdentity | null {
  const name = finalNameOf(baseNameOf(path));
  if (name === null || !hasMagic(sector) || !isEncryptedStart(sector)) {
    return null;
  }
  return snapshotIdentity({ clusterId: clusterIdOf(sector), groupId: readU32(sector, 12) }, name);
}

function baseNameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function hasMagic(bytes: Uint8Array): boolean {
  return headerMagic.every((byte, i) => bytes[i] === byte);
}

function clusterIdOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes.subarray(clusterIdAt, clusterIdAt + readU16(bytes, 20)));
}

/** How many blocks a body has. */
export function blockCount(bodyBytes: number): number {
  return Math.ceil(bodyBytes / snapshotBlockBytes);
}

/** Header and meta, encrypted with an `envelope`. Throws `limitExceeded` when the cluster id is too long. */
export function encodeSnapshotStart(
  owner: SnapshotOwner,
  meta: Uint8Array,
  envelope: FileEnvelope | null = null,
): SnapshotStart {
  const clusterId = new TextEncoder().encode(owner.clusterId);
  if (clusterId.length > clusterIdBytesMax) {
    throw new StorageError(
      "limitExceeded",
      `The cluster id has ${clusterId.length} bytes; at most ${clusterIdBytesMax} can be stored`,
    );
  }
  const metaAt = envelope === null ? snapshotHeaderBytes : sectorBytes;
  const metaBytes = meta.length + (envelope === null ? 0 : tagBytes);
  const bytes = new Uint8Array(metaAt + metaBytes);
  bytes.set(headerMagic, 0);
  writeU16(bytes, 8, formatVersion);
  writeU16(bytes, 10, envelope === null ? 0 : flagEncrypted);
  writeU32(bytes, 12, owner.groupId);
  writeU32(bytes, 16, metaBytes);
  writeU16(bytes, 20, clusterId.length);
  bytes.set(clusterId, clusterIdAt);
  let cipher: SnapshotCipher | null = null;
  if (envelope === null) {
    bytes.set(meta, metaAt);
  } else {
    cipher = new SnapshotCipher(envelope.key);
    bytes.set(envelope.slot, keySlotsAt);
    bytes.set(cipher.sealMeta(bytes.subarray(0, headerChecksumAt), meta), metaAt);
  }
  const checksum = startChecksum(bytes, metaBytes);
  writeU32(bytes, headerChecksumAt, checksum);
  return { bytes, checksum, cipher };
}

function isEncryptedStart(bytes: Uint8Array): boolean {
  return (readU16(bytes, 10) & flagEncrypted) !== 0;
}

/** Where the meta is. */
function metaAtOf(bytes: Uint8Array): number {
  return isEncryptedStart(bytes) ? sectorBytes : snapshotHeaderBytes;
}

/** The key slots have checksums of their own: they are written anew while the rest stays. */
function startChecksum(bytes: Uint8Array, metaBytes: number): number {
  const metaAt = metaAtOf(bytes);
  const meta = bytes.subarray(metaAt, metaAt + metaBytes);
  let header = crc32(bytes.subarray(0, headerChecksumAt));
  if (isEncryptedStart(bytes)) {
    header = crc32(bytes.subarray(snapshotHeaderBytes, keySlotsAt), header);
    header = crc32(bytes.subarray(keySlotsEnd, sectorBytes), header);
  }
  return crc32(meta, header);
}

/**
 * Checks header and meta; `bytes` begins with them (and may go on).
 *
 * Throws `damaged`, `unknownVersion`, `foreignCluster` or `foreignGroup`, naming the file; and `encrypted`,
 * `notEncrypted`, `missingKey` or `wrongKey`.
 */
export function decodeSnapshotStart(
  bytes: Uint8Array,
  expected: ExpectedSnapshot,
): {
  readonly meta: SnapshotMeta;
  readonly bodyAt: number;
  readonly checksum: number;
  readonly cipher: SnapshotCipher | null;
} {
  const place = { file: expected.file, offsetBytes: 0 };
  const isLongEnough = bytes.length >= snapshotHeaderBytes;
  const metaBytes = isLongEnough ? readU32(bytes, 16) : 0;
  const metaAt = isLongEnough ? metaAtOf(bytes) : snapshotHeaderBytes;
  const bodyAt = metaAt + metaBytes;
  if (bytes.length < bodyAt || metaBytes > snapshotMetaBytesMax + tagBytes || !hasMagic(bytes)) {
    throw damaged("This is not the beginning of a snapshot", place);
  }
  const checksum = readU32(bytes, headerChecksumAt);
  if (startChecksum(bytes, metaBytes) !== checksum) {
    throw damaged("The header of this snapshot does not match its checksum", place);
  }
  checkSnapshotOwner(bytes, expected);
  const cipher = cipherOf(bytes, expected);
  const stored = bytes.subarray(metaAt, bodyAt);
  const plain =
    cipher === null ? stored : cipher.openMeta(bytes.subarray(0, headerChecksumAt), stored);
  if (plain === null) {
    throw notAuthentic("The header of this snapshot", place);
  }
  const meta = decodeSnapshotMeta(plain);
  if (meta === null) {
    throw damaged("The description of this snapshot can not be read", {
      file: expected.file,
      offsetBytes: metaAt,
    });
  }
  return { meta, bodyAt, checksum, cipher };
}

function cipherOf(bytes: Uint8Array, expected: ExpectedSnapshot): SnapshotCipher | null {
  const { file } = expected;
  const keys = expected.encryption ?? null;
  if (isEncryptedStart(bytes)) {
    const identity = snapshotIdentity(expected, baseNameOf(file));
    const key = openEnvelope(bytes, identity, { keys, file });
    return new SnapshotCipher(key);
  }
  if (keys !== null && !keys.acceptsPlainFiles) {
    throw notEncrypted({ file, offsetBytes: 0 });
  }
  return null;
}

function checkSnapshotOwner(
  bytes: Uint8Array,
  expected: SnapshotOwner & { readonly file: string },
): void {
  const place = { file: expected.file, offsetBytes: 0 };
  const version = readU16(bytes, 8);
  const flags = readU16(bytes, 10);
  if (version !== formatVersion || (flags & ~knownFlags) !== 0) {
    throw new StorageError(
      "unknownVersion",
      `This snapshot has format version ${version} with flags ${flags}; this program reads version ${formatVersion} ` +
        `with flags up to ${knownFlags}. Start the version that wrote it`,
      { place },
    );
  }
  const clusterId = clusterIdOf(bytes);
  if (clusterId !== expected.clusterId) {
    throw new StorageError(
      "foreignCluster",
      `This snapshot belongs to cluster ${clusterId}, this node to ${expected.clusterId}. Start the node with its own ` +
        `data directory`,
      { place },
    );
  }
  const groupId = readU32(bytes, 12);
  if (groupId !== expected.groupId) {
    throw new StorageError(
      "foreignGroup",
      `This snapshot belongs to group ${groupId}, expected was ${expected.groupId}. Put the file back where it came from`,
      { place },
    );
  }
}

/** Bytes between body and trailer. */
export function snapshotTableBytes(bodyBytes: number, isEncrypted: boolean): number {
  const blocks = blockCount(bodyBytes);
  return blocks * checksumBytes + (isEncrypted ? (blocks + 1) * tagBytes : 0);
}

/** What stands behind the body: the blocks' proofs, and the trailer. */
export function encodeSnapshotEnd(
  blocks: BlockProofs,
  trailer: { readonly bodyBytes: number; readonly start: SnapshotStart },
): Uint8Array {
  const { cipher, checksum: headerChecksum } = trailer.start;
  const at = snapshotTableBytes(trailer.bodyBytes, cipher !== null);
  const bytes = new Uint8Array(at + snapshotTrailerBytes);
  for (const [i, checksum] of blocks.checksums.entries()) {
    writeU32(bytes, i * checksumBytes, checksum);
  }
  if (cipher !== null && blocks.tags !== null) {
    bytes.set(blocks.tags, blocks.checksums.length * checksumBytes);
    const table = bytes.subarray(0, at - tagBytes);
    bytes.set(
      cipher.sealEnd({ headerChecksum, bodyBytes: trailer.bodyBytes, table }),
      at - tagBytes,
    );
  }
  bytes.set(trailerMagic, at);
  writeU64(bytes, at + 8, trailer.bodyBytes);
  writeU32(bytes, at + 16, crc32(bytes.subarray(0, at)));
  writeU32(bytes, at + 20, headerChecksum);
  writeU32(bytes, at + 24, crc32(bytes.subarray(at, at + 24)));
  writeU32(bytes, at + 28, endMark);
  return bytes;
}

/** The proofs of `table`, which is what stands between body and trailer; null when its tag does not prove it. */
export function decodeSnapshotTable(
  table: Uint8Array,
  end: {
    readonly bodyBytes: number;
    readonly headerChecksum: number;
    readonly cipher: SnapshotCipher | null;
  },
): BlockProofs | null {
  const { cipher, ...proof } = end;
  const blocks = blockCount(end.bodyBytes);
  const checksums = Array.from({ length: blocks }, (_, i) => readU32(table, i * checksumBytes));
  if (cipher === null) {
    return { checksums, tags: null };
  }
  const endTagAt = table.length - tagBytes;
  return cipher.isEnd({ ...proof, table: table.subarray(0, endTagAt) }, table.subarray(endTagAt))
    ? { checksums, tags: table.slice(blocks * checksumBytes, endTagAt) }
    : null;
}

/** The trailer, or null when these bytes are not one. */
export function decodeSnapshotTrailer(bytes: Uint8Array): SnapshotTrailer | null {
  const whole =
    bytes.length === snapshotTrailerBytes &&
    trailerMagic.every((byte, i) => bytes[i] === byte) &&
    readU32(bytes, 24) === crc32(bytes.subarray(0, 24)) &&
    readU32(bytes, 28) === endMark;
  if (!whole) {
    return null;
  }
  return {
    bodyBytes: readU64(bytes, 8),
    blocksChecksum: readU32(bytes, 16),
    headerChecksum: readU32(bytes, 20),
  };
}
