/**
 * Small encrypted files that are read and written whole: the ACL file, backups of settings, and what else the node
 * keeps beside log and snapshots.
 *
 *    0        512                   512 + sizeBytes
 *    +--------+---------------------+
 *    | header | ciphertext          |
 *    +--------+---------------------+
 *
 *    0   magic "FERRSEAL" (8)         32   kind, UTF-8 (32)
 *    8   version u16                  64   cluster id, UTF-8 (64)
 *    10  flags u16                    128  name, UTF-8 (128)
 *    12  kindSize u16                 280  key slots (144)
 *    14  nameSize u16                 424  tag (16)
 *    16  clusterIdSize u16            504  CRC-32 of the header to here without the key slots, and of the ciphertext
 *    24  sizeBytes u64                508  end mark (4)
 *
 * Flag 0: bound to a cluster; without it, made before there was one, and bound to the node alone. The AAD is the
 * file's context and bytes 0..279; the nonce is zero, because a data key encrypts one message: sealing again makes
 * another one.
 */
import { crc32 } from "node:zlib";
import { nonceBytes, seal, tagBytes, unseal } from "./aead.ts";
import type { AeadParameters } from "./aead.ts";
import type { AtRestKeys } from "./at-rest-keys.ts";
import { StorageError, damaged, notAuthentic, notEncrypted } from "./errors.ts";
import type { StorageErrorPlace } from "./errors.ts";
import {
  checkAtRestKeys,
  keySlotsAt,
  keySlotsEnd,
  makeEnvelope,
  openEnvelope,
} from "./file-envelope.ts";
import type { FileKey } from "./file-envelope.ts";
import type { FileIdentity } from "./file-identity.ts";
import { readU16, readU32, readU64, writeU16, writeU32, writeU64 } from "./little-endian.ts";
import { randomBytesOfThisMachine } from "./random-bytes.ts";
import type { RandomBytes } from "./random-bytes.ts";
import { clusterIdBytesMax, sectorBytes } from "./segment-format.ts";

/** Longest contents of a sealed file: 256 MiB. They are encrypted in one piece, in memory. */
export const sealedBytesMax: number = 256 * 1024 * 1024;
/** Longest kind and name, in bytes of UTF-8. */
export const sealedKindBytesMax = 32;
export const sealedNameBytesMax = 128;

const formatVersion = 1;
const flagOfCluster = 1;
const magic: Uint8Array = new TextEncoder().encode("FERRSEAL");
const endMark = 0xc3_9c_e7_a5;
const kindAt = 32;
const clusterIdAt = 64;
const nameAt = 128;
const tagAt: number = keySlotsEnd;
const checksumAt = 504;
const endMarkAt = 508;

/** What a sealed file is; another kind, name or cluster does not open it. */
export interface SealedFile {
  /** `acl`, `backup`, ... */
  readonly kind: string;
  /** Its name below the data directory. */
  readonly name: string;
  /** Null before the cluster is formed: then it is bound to the node alone. */
  readonly clusterId: string | null;
}

/** Whether these bytes begin as a sealed file does. */
export function isSealed(bytes: Uint8Array): boolean {
  return bytes.length >= magic.length && magic.every((byte, i) => bytes[i] === byte);
}

/**
 * The contents of the file, encrypted with a data key of its own under the current node key; to be written with
 * `writeFileDurably`. Throws `limitExceeded` when contents, kind, name or cluster id are too long.
 */
export function sealBytes(
  keys: AtRestKeys,
  file: SealedFile,
  contents: Uint8Array,
  randomBytes: RandomBytes = randomBytesOfThisMachine,
): Uint8Array {
  checkAtRestKeys(keys);
  if (contents.length > sealedBytesMax) {
    throw new StorageError(
      "limitExceeded",
      `The file ${file.name} has ${contents.length} bytes; at most ${sealedBytesMax} can be sealed`,
    );
  }
  const envelope = makeEnvelope(identityOf(file), keys, randomBytes);
  const bytes = new Uint8Array(sectorBytes + contents.length);
  bytes.set(magic, 0);
  writeU16(bytes, 8, formatVersion);
  writeU16(bytes, 10, file.clusterId === null ? 0 : flagOfCluster);
  writeU16(bytes, 12, putText(bytes, kindAt, file.kind, sealedKindBytesMax));
  writeU16(bytes, 14, putText(bytes, nameAt, file.name, sealedNameBytesMax));
  writeU16(bytes, 16, putText(bytes, clusterIdAt, file.clusterId ?? "", clusterIdBytesMax));
  writeU64(bytes, 24, contents.length);
  bytes.set(envelope.slot, keySlotsAt);
  const sealed = seal(parametersOf(bytes, envelope.key), contents);
  bytes.set(sealed.subarray(0, contents.length), sectorBytes);
  bytes.set(sealed.subarray(contents.length), tagAt);
  writeU32(bytes, checksumAt, checksumOf(bytes));
  writeU32(bytes, endMarkAt, endMark);
  return bytes;
}

/**
 * The contents of a sealed file. `path` is for errors. Bytes that are not sealed are given back as they are without
 * keys, and where the keys say that plain files are accepted.
 *
 * Throws `damaged`, `unknownVersion`, `foreignCluster`, `encrypted`, `notEncrypted`, `missingKey` or `wrongKey`.
 */
export function openSealedBytes(
  keys: AtRestKeys | null,
  file: SealedFile & { readonly path: string },
  bytes: Uint8Array,
): Uint8Array {
  const place = { file: file.path, offsetBytes: 0 };
  if (!isSealed(bytes)) {
    if (keys !== null && !keys.acceptsPlainFiles) {
      throw notEncrypted(place);
    }
    return bytes;
  }
  checkFrame(bytes, place);
  const identity = sealedIdentity(bytes);
  checkIdentity(identity, file, place);
  const key = openEnvelope(bytes, identity, { keys, file: file.path });
  const sealed = new Uint8Array(bytes.length - sectorBytes + tagBytes);
  sealed.set(bytes.subarray(sectorBytes), 0);
  sealed.set(bytes.subarray(tagAt, tagAt + tagBytes), bytes.length - sectorBytes);
  const contents = unseal(parametersOf(bytes, key), sealed);
  if (contents === null) {
    throw notAuthentic("This sealed file", place);
  }
  return contents;
}

/** What the sealed file with this first sector is bound to; null when it is none. */
export function encryptedSealIdentity(sector: Uint8Array): FileIdentity | null {
  return isSealed(sector) ? sealedIdentity(sector) : null;
}

function sealedIdentity(bytes: Uint8Array): FileIdentity {
  const isOfCluster = (readU16(bytes, 10) & flagOfCluster) !== 0;
  return {
    kind: `sealed ${textAt(bytes, kindAt, readU16(bytes, 12))}`,
    name: textAt(bytes, nameAt, readU16(bytes, 14)),
    clusterId: isOfCluster ? textAt(bytes, clusterIdAt, readU16(bytes, 16)) : null,
    groupId: 0,
  };
}

/** The prefix keeps kinds apart from those of log and snapshots, whatever they are called. */
function identityOf(file: SealedFile): FileIdentity {
  const { kind, name, clusterId } = file;
  return { kind: `sealed ${kind}`, name, clusterId, groupId: 0 };
}

function parametersOf(bytes: Uint8Array, key: FileKey): AeadParameters {
  const aad = new Uint8Array(key.context.length + keySlotsAt);
  aad.set(key.context, 0);
  aad.set(bytes.subarray(0, keySlotsAt), key.context.length);
  return { key: key.bytes, nonce: new Uint8Array(nonceBytes), aad };
}

function putText(bytes: Uint8Array, at: number, text: string, bytesMax: number): number {
  const encoded = new TextEncoder().encode(text);
  if (encoded.length > bytesMax) {
    throw new StorageError(
      "limitExceeded",
      `"${text}" has ${encoded.length} bytes; a sealed file stores at most ${bytesMax}`,
    );
  }
  bytes.set(encoded, at);
  return encoded.length;
}

function textAt(bytes: Uint8Array, at: number, sizeBytes: number): string {
  return new TextDecoder().decode(bytes.subarray(at, at + sizeBytes));
}

function checksumOf(bytes: Uint8Array): number {
  const before = crc32(bytes.subarray(0, keySlotsAt));
  const header = crc32(bytes.subarray(keySlotsEnd, checksumAt), before);
  return crc32(bytes.subarray(sectorBytes), header);
}

function checkFrame(bytes: Uint8Array, place: StorageErrorPlace): void {
  const isWhole =
    bytes.length >= sectorBytes &&
    readU64(bytes, 24) === bytes.length - sectorBytes &&
    readU32(bytes, endMarkAt) === endMark &&
    readU32(bytes, checksumAt) === checksumOf(bytes);
  if (!isWhole) {
    throw damaged("This sealed file does not match its checksum", place);
  }
  const version = readU16(bytes, 8);
  const flags = readU16(bytes, 10);
  if (version !== formatVersion || (flags & ~flagOfCluster) !== 0) {
    throw new StorageError(
      "unknownVersion",
      `This sealed file has format version ${version} with flags ${flags}; this program reads version ` +
        `${formatVersion} with flags up to ${flagOfCluster}. Start the version that wrote it`,
      { place },
    );
  }
}

function checkIdentity(found: FileIdentity, expected: SealedFile, place: StorageErrorPlace): void {
  if (found.clusterId !== null && found.clusterId !== expected.clusterId) {
    throw new StorageError(
      "foreignCluster",
      `This sealed file belongs to cluster ${found.clusterId}, this node to ` +
        `${expected.clusterId ?? "none yet"}. Start the node with its own data directory`,
      { place },
    );
  }
  const { kind, name } = identityOf(expected);
  if (found.kind !== kind || found.name !== name) {
    throw damaged(
      `This is the ${found.kind} file "${found.name}", expected was the ${kind} file "${name}"`,
      place,
    );
  }
}
