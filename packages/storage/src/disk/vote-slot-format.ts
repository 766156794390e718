/**
 * One slot of the vote file (vote-file.ts): term and vote, with a checksum. A slot fills one sector.
 *
 *    0   magic "FERRVOTE" (8)             128  hard state, commit index 0 (hard-state-codec.ts)
 *    8   version u16                      280  key slots (144)  } encrypted only
 *    10  flags u16 (bit 0: encrypted)     424  tag (16)         }
 *    12  group id u32                     504  CRC-32 of bytes 0..503
 *    16  counter u64                      508  end mark (4), no byte of it zero
 *    24  clusterIdSize u16
 *    26  hardStateSize u16
 *    64  cluster id, UTF-8
 *
 * The counter grows with every write. An encrypted slot has a data key of its own, drawn for this one
 * writing, in the layout of the first sector of a log segment; the tag proves bytes 0..127 as well.
 */
import { crc32 } from "node:zlib";
import type { HardState } from "@ferrite/raft";
import { nonceBytes, seal, tagBytes, unseal } from "./aead.ts";
import type { AtRestKeys } from "./at-rest-keys.ts";
import { StorageError, notAuthentic, notEncrypted } from "./errors.ts";
import { keySlotsAt, keySlotsEnd, makeEnvelope, openEnvelope } from "./file-envelope.ts";
import type { FileKey } from "./file-envelope.ts";
import { fileContextBytes } from "./file-identity.ts";
import type { FileIdentity } from "./file-identity.ts";
import { decodeHardState, encodeHardState } from "./hard-state-codec.ts";
import { readU16, readU32, readU64, writeU16, writeU32, writeU64 } from "./little-endian.ts";
import type { RandomBytes } from "./random-bytes.ts";
import { clusterIdBytesMax, sectorBytes } from "./segment-format.ts";

/** What a node has promised to other nodes about elections. */
export type Vote = Pick<HardState, "term" | "vote">;

/** Whose votes they are, and how they are encrypted. */
export interface VoteFileOptions {
  readonly path: string;
  readonly clusterId: string;
  readonly groupId: number;
  /** Null: the slots are written in the clear. */
  readonly encryption: AtRestKeys | null;
  readonly randomBytes: RandomBytes;
}

export interface VoteSlot {
  readonly counter: number;
  readonly vote: Vote;
  /** The node key that opens it; 0 for a plain one. */
  readonly nodeKeyId: number;
}

export const voteSlotBytes: number = sectorBytes;

const formatVersion = 1;
const flagEncrypted = 1;
const magic: Uint8Array = new TextEncoder().encode("FERRVOTE");
const endMark = 0xe7_9c_a5_c3;
const clusterIdAt = 64;
const hardStateAt = 128;
const tagAt: number = keySlotsEnd;
const checksumAt = 504;
const endMarkAt = 508;

function identityOf(options: VoteFileOptions): FileIdentity {
  const { clusterId, groupId } = options;
  return { kind: "votes", name: "votes", clusterId, groupId };
}

/** Throws `limitExceeded` when the cluster id or the vote is too long. */
export function encodeVoteSlot(
  options: VoteFileOptions,
  counter: number,
  { term, vote }: Vote,
): Uint8Array {
  const clusterId = new TextEncoder().encode(options.clusterId);
  if (clusterId.length > clusterIdBytesMax) {
    throw new StorageError(
      "limitExceeded",
      `The cluster id has ${clusterId.length} bytes; at most ${clusterIdBytesMax} can be stored`,
    );
  }
  const { encryption } = options;
  const hardState = encodeHardState({ term, vote, commit: 0 });
  const bytes = new Uint8Array(voteSlotBytes);
  bytes.set(magic, 0);
  writeU16(bytes, 8, formatVersion);
  writeU16(bytes, 10, encryption === null ? 0 : flagEncrypted);
  writeU32(bytes, 12, options.groupId);
  writeU64(bytes, 16, counter);
  writeU16(bytes, 24, clusterId.length);
  writeU16(bytes, 26, hardState.length);
  bytes.set(clusterId, clusterIdAt);
  if (encryption === null) {
    bytes.set(hardState, hardStateAt);
  } else {
    const envelope = makeEnvelope(identityOf(options), encryption, options.randomBytes);
    bytes.set(envelope.slot, keySlotsAt);
    const sealed = seal(sealOf(bytes, envelope.key), hardState);
    bytes.set(sealed.subarray(0, hardState.length), hardStateAt);
    bytes.set(sealed.subarray(hardState.length), tagAt);
  }
  writeU32(bytes, checksumAt, crc32(bytes.subarray(0, checksumAt)));
  writeU32(bytes, endMarkAt, endMark);
  return bytes;
}

/**
 * The slot, or null when its bytes are not what was written.
 *
 * Throws `unknownVersion`, `foreignCluster`, `foreignGroup`, `encrypted`, `notEncrypted`, `missingKey` or `wrongKey`:
 * a slot that is whole and not for this node.
 */
export function decodeVoteSlot(
  bytes: Uint8Array,
  at: number,
  options: VoteFileOptions,
): VoteSlot | null {
  const place = { file: options.path, offsetBytes: at };
  const slot = bytes.subarray(at, at + voteSlotBytes);
  if (!isWhole(slot)) {
    return null;
  }
  const version = readU16(slot, 8);
  const flags = readU16(slot, 10);
  if (version !== formatVersion || (flags & ~flagEncrypted) !== 0) {
    throw new StorageError(
      "unknownVersion",
      `The vote file has format version ${version} with flags ${flags}; this program reads version ${formatVersion} ` +
        `with flags up to ${flagEncrypted}. Start the version that wrote it`,
      { place },
    );
  }
  checkOwner(slot, options, place);
  const key = keyOfSlot(slot, options, place);
  const hardState = decodeHardState(hardStateBytesOf(slot, key, place));
  if (hardState === undefined || hardState === null) {
    return null;
  }
  return {
    counter: readU64(slot, 16),
    vote: { term: hardState.term, vote: hardState.vote },
    nodeKeyId: key === null ? 0 : readU32(slot, keySlotsAt),
  };
}

function isWhole(slot: Uint8Array): boolean {
  return (
    slot.length === voteSlotBytes &&
    magic.every((byte, i) => slot[i] === byte) &&
    readU32(slot, endMarkAt) === endMark &&
    readU32(slot, checksumAt) === crc32(slot.subarray(0, checksumAt))
  );
}

type Place = { readonly file: string; readonly offsetBytes: number };

function checkOwner(slot: Uint8Array, options: VoteFileOptions, place: Place): void {
  const clusterId = new TextDecoder().decode(
    slot.subarray(clusterIdAt, clusterIdAt + readU16(slot, 24)),
  );
  if (clusterId !== options.clusterId) {
    throw new StorageError(
      "foreignCluster",
      `This vote file belongs to cluster ${clusterId}, this node to ${options.clusterId}. Start the node with its own ` +
        `data directory`,
      { place },
    );
  }
  const groupId = readU32(slot, 12);
  if (groupId !== options.groupId) {
    throw new StorageError(
      "foreignGroup",
      `This vote file belongs to group ${groupId}, expected was ${options.groupId}. Put the file back where it came from`,
      { place },
    );
  }
}

function keyOfSlot(slot: Uint8Array, options: VoteFileOptions, place: Place): FileKey | null {
  const keys = options.encryption;
  if ((readU16(slot, 10) & flagEncrypted) !== 0) {
    return openEnvelope(slot, identityOf(options), { keys, file: options.path });
  }
  if (keys !== null && !keys.acceptsPlainFiles) {
    throw notEncrypted(place);
  }
  return null;
}

function hardStateBytesOf(slot: Uint8Array, key: FileKey | null, place: Place): Uint8Array {
  const stored = slot.subarray(hardStateAt, hardStateAt + readU16(slot, 26));
  if (key === null) {
    return stored;
  }
  const sealed = new Uint8Array(stored.length + tagBytes);
  sealed.set(stored, 0);
  sealed.set(slot.subarray(tagAt, tagAt + tagBytes), stored.length);
  const plain = unseal(sealOf(slot, key), sealed);
  if (plain === null) {
    throw notAuthentic("This vote", place);
  }
  return plain;
}

/** A data key sees this one message: the nonce needs not be drawn. */
function sealOf(
  slot: Uint8Array,
  key: FileKey,
): { readonly key: Uint8Array; readonly nonce: Uint8Array; readonly aad: Uint8Array } {
  const aad = new Uint8Array(fileContextBytes + hardStateAt);
  aad.set(key.context, 0);
  aad.set(slot.subarray(0, hardStateAt), fileContextBytes);
  return { key: key.bytes, nonce: new Uint8Array(nonceBytes), aad };
}
