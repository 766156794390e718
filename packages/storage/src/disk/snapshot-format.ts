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
 * Flags are for later features (encryption); a version that does not know a flag refuses the file.
 */
import { crc32 } from "node:zlib";
import type { Index, SnapshotMeta, Term } from "@ferrite/raft";
import { StorageError, damaged } from "./errors.ts";
import { readU16, readU32, readU64, writeU16, writeU32, writeU64 } from "./little-endian.ts";
import { clusterIdBytesMax } from "./segment-format.ts";
import { decodeSnapshotMeta, snapshotMetaBytesMax } from "./snapshot-meta.ts";

export const snapshotHeaderBytes = 128;
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

/** Whose snapshots these are. */
export interface SnapshotOwner {
  readonly clusterId: string;
  readonly groupId: number;
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

/** How many blocks a body has. */
export function blockCount(bodyBytes: number): number {
  return Math.ceil(bodyBytes / snapshotBlockBytes);
}

/** Header and meta, and the header's checksum. Throws `limitExceeded` when the cluster id is too long. */
export function encodeSnapshotStart(
  owner: SnapshotOwner,
  meta: Uint8Array,
): { readonly bytes: Uint8Array; readonly checksum: number } {
  const clusterId = new TextEncoder().encode(owner.clusterId);
  if (clusterId.length > clusterIdBytesMax) {
    throw new StorageError(
      "limitExceeded",
      `The cluster id has ${clusterId.length} bytes; at most ${clusterIdBytesMax} can be stored`,
    );
  }
  const bytes = new Uint8Array(snapshotHeaderBytes + meta.length);
  bytes.set(headerMagic, 0);
  writeU16(bytes, 8, formatVersion);
  writeU16(bytes, 10, 0);
  writeU32(bytes, 12, owner.groupId);
  writeU32(bytes, 16, meta.length);
  writeU16(bytes, 20, clusterId.length);
  bytes.set(clusterId, clusterIdAt);
  bytes.set(meta, snapshotHeaderBytes);
  const checksum = startChecksum(bytes, meta.length);
  writeU32(bytes, headerChecksumAt, checksum);
  return { bytes, checksum };
}

function startChecksum(bytes: Uint8Array, metaBytes: number): number {
  const meta = bytes.subarray(snapshotHeaderBytes, snapshotHeaderBytes + metaBytes);
  return crc32(meta, crc32(bytes.subarray(0, headerChecksumAt)));
}

/**
 * Checks header and meta; `bytes` begins with them (and may go on).
 *
 * Throws `damaged`, `unknownVersion`, `foreignCluster` or `foreignGroup`, naming the file.
 */
export function decodeSnapshotStart(
  bytes: Uint8Array,
  expected: SnapshotOwner & { readonly file: string },
): { readonly meta: SnapshotMeta; readonly metaBytes: number; readonly checksum: number } {
  const place = { file: expected.file, offsetBytes: 0 };
  const metaBytes = bytes.length < snapshotHeaderBytes ? 0 : readU32(bytes, 16);
  if (
    bytes.length < snapshotHeaderBytes + metaBytes ||
    metaBytes > snapshotMetaBytesMax ||
    !headerMagic.every((byte, i) => bytes[i] === byte)
  ) {
    throw damaged("This is not the beginning of a snapshot", place);
  }
  const checksum = readU32(bytes, headerChecksumAt);
  if (startChecksum(bytes, metaBytes) !== checksum) {
    throw damaged("The header of this snapshot does not match its checksum", place);
  }
  checkSnapshotOwner(bytes, expected);
  const meta = decodeSnapshotMeta(
    bytes.subarray(snapshotHeaderBytes, snapshotHeaderBytes + metaBytes),
  );
  if (meta === null) {
    throw damaged("The description of this snapshot can not be read", {
      file: expected.file,
      offsetBytes: snapshotHeaderBytes,
    });
  }
  return { meta, metaBytes, checksum };
}

function checkSnapshotOwner(
  bytes: Uint8Array,
  expected: SnapshotOwner & { readonly file: string },
): void {
  const place = { file: expected.file, offsetBytes: 0 };
  const version = readU16(bytes, 8);
  const flags = readU16(bytes, 10);
  if (version !== formatVersion || flags !== 0) {
    throw new StorageError(
      "unknownVersion",
      `This snapshot has format version ${version} with flags ${flags}; this program reads version ${formatVersion} ` +
        `without flags. Start the version that wrote it`,
      { place },
    );
  }
  const clusterId = new TextDecoder().decode(
    bytes.subarray(clusterIdAt, clusterIdAt + readU16(bytes, 20)),
  );
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

/** Block checksums and trailer. */
export function encodeSnapshotEnd(
  blockChecksums: readonly number[],
  trailer: { readonly bodyBytes: number; readonly headerChecksum: number },
): Uint8Array {
  const at = blockChecksums.length * 4;
  const bytes = new Uint8Array(at + snapshotTrailerBytes);
  for (const [i, checksum] of blockChecksums.entries()) {
    writeU32(bytes, i * 4, checksum);
  }
  bytes.set(trailerMagic, at);
  writeU64(bytes, at + 8, trailer.bodyBytes);
  writeU32(bytes, at + 16, crc32(bytes.subarray(0, at)));
  writeU32(bytes, at + 20, trailer.headerChecksum);
  writeU32(bytes, at + 24, crc32(bytes.subarray(at, at + 24)));
  writeU32(bytes, at + 28, endMark);
  return bytes;
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
