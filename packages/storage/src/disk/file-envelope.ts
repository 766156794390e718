/**
 * The envelope of an encrypted file: its own random data key, wrapped with a key of this node. It stands at the same
 * place in the first sector of log segments, snapshots and sealed files:
 *
 *    280           352           424
 *    +-------------+-------------+      a slot:  0  node key id u32 (0: empty)   4  check of the node key (4)
 *    | slot 0      | slot 1      |               8  nonce (12)   20 wrapped data key (32)   52 tag (16)
 *    +-------------+-------------+               68 CRC-32 of bytes 0..67
 *
 * Two slots, one in use: another node key goes into the free slot and is synced before the old one is filled with
 * zeros, so that at every moment one of them is whole (rewrap-file.ts). Checksum and seal of the rest of the sector
 * leave the slots out: they stay as they are when the data key is wrapped anew.
 *
 * A node key wraps one data key a file under a random nonce of 96 bits; it would take 2^32 files before that is
 * thought about. The check tells "another key" from "changed": 32 bits of an HMAC say nothing about a key of 256.
 */
import { createHmac } from "node:crypto";
import { crc32 } from "node:zlib";
import { nonceBytes, seal, tagBytes, unseal } from "./aead.ts";
import { atRestKeyBytes } from "./at-rest-keys.ts";
import type { AtRestKey, AtRestKeys } from "./at-rest-keys.ts";
import { StorageError, damaged } from "./errors.ts";
import { fileContext } from "./file-identity.ts";
import type { FileIdentity } from "./file-identity.ts";
import { readU32, writeU32 } from "./little-endian.ts";
import type { RandomBytes } from "./random-bytes.ts";

export const keySlotsAt = 280;
export const keySlotBytes = 72;
const keySlotCount = 2;
export const keySlotsEnd: number = keySlotsAt + keySlotCount * keySlotBytes;

/** Highest id of a node key: it is stored in 32 bits. */
export const nodeKeyIdMax = 4_294_967_295;

const checkAt = 4;
const checkBytes = 4;
const nonceAt = 8;
const wrappedAt = 20;
const checksumAt = 68;
const wrappedBytes: number = atRestKeyBytes + tagBytes;

/** What encrypts one file. Plain data: it travels to the log's worker thread. */
export interface FileKey {
  /** The data key. */
  readonly bytes: Uint8Array;
  /** Who and where the file is, part of every AAD in it. */
  readonly context: Uint8Array;
}

/** The key of a new file, and the slot that goes into its first sector. */
export interface FileEnvelope {
  readonly key: FileKey;
  readonly slot: Uint8Array;
}

/** A whole slot that was found in a file. */
export interface KeySlot {
  /** 0 or 1. */
  readonly place: number;
  readonly nodeKeyId: number;
  readonly bytes: Uint8Array;
}

/** Throws `limitExceeded` when a node key can not be used: its length, or an id that can not be stored. */
export function checkAtRestKeys(keys: AtRestKeys): void {
  for (const key of [keys.current, ...keys.older]) {
    const isRight =
      key.bytes.length === atRestKeyBytes &&
      Number.isInteger(key.id) &&
      key.id >= 1 &&
      key.id <= nodeKeyIdMax;
    if (!isRight) {
      throw new StorageError(
        "limitExceeded",
        `Node key ${key.id} has ${key.bytes.length} bytes; a node key has ${atRestKeyBytes}, and an id from 1 to ` +
          `${nodeKeyIdMax}`,
      );
    }
  }
}

/** A fresh data key, wrapped with the current node key. */
export function makeEnvelope(
  identity: FileIdentity,
  keys: AtRestKeys,
  randomBytes: RandomBytes,
): FileEnvelope {
  const key = { bytes: randomBytes(atRestKeyBytes), context: fileContext(identity, keys.nodeId) };
  return { key, slot: wrapFileKey(key, keys.current, randomBytes) };
}

/** The slot that holds a file's key wrapped with `nodeKey`. */
export function wrapFileKey(
  key: FileKey,
  nodeKey: AtRestKey,
  randomBytes: RandomBytes,
): Uint8Array {
  const slot = new Uint8Array(keySlotBytes);
  const nonce = randomBytes(nonceBytes);
  writeU32(slot, 0, nodeKey.id);
  slot.set(checkOf(nodeKey), checkAt);
  slot.set(nonce, nonceAt);
  slot.set(seal({ key: nodeKey.bytes, nonce, aad: key.context }, key.bytes), wrappedAt);
  writeU32(slot, checksumAt, crc32(slot.subarray(0, checksumAt)));
  return slot;
}

/** Where the slot at `place` (0 or 1) is. */
export function keySlotAt(place: number): number {
  return keySlotsAt + place * keySlotBytes;
}

/** The whole slots of a first sector. Half-written ones are left out: the other one is in force then. */
export function keySlotsOf(sector: Uint8Array): KeySlot[] {
  const slots: KeySlot[] = [];
  for (let place = 0; place < keySlotCount; place += 1) {
    const start = keySlotAt(place);
    const bytes = sector.subarray(start, start + keySlotBytes);
    const isWhole =
      bytes.length === keySlotBytes &&
      readU32(bytes, checksumAt) === crc32(bytes.subarray(0, checksumAt));
    if (isWhole && readU32(bytes, 0) !== 0) {
      slots.push({ place, nodeKeyId: readU32(bytes, 0), bytes });
    }
  }
  return slots;
}

/** The key of an encrypted file, from its first sector. Throws as `openKeySlot` does. */
export function openEnvelope(
  sector: Uint8Array,
  identity: FileIdentity,
  opening: { readonly keys: AtRestKeys | null; readonly file: string },
): FileKey {
  return openKeySlot(sector, identity, opening).key;
}

/**
 * The key of an encrypted file and the slot that gave it; the current node key's slot, if there is one.
 *
 * Throws `encrypted` (there are no keys), `missingKey`, `wrongKey`, or `damaged` (the slots are broken, or were made
 * for another node or another file), naming the file. One slot that opens is enough.
 */
export function openKeySlot(
  sector: Uint8Array,
  identity: FileIdentity,
  opening: { readonly keys: AtRestKeys | null; readonly file: string },
): { readonly key: FileKey; readonly place: number; readonly nodeKeyId: number } {
  const { keys, file } = opening;
  const slots = keySlotsOf(sector);
  const place = { file, offsetBytes: keySlotsAt };
  if (slots.length === 0) {
    throw damaged("The wrapped key of this encrypted file does not match its checksum", place);
  }
  const ids = slots.map((slot) => slot.nodeKeyId).join(" and ");
  if (keys === null) {
    throw new StorageError(
      "encrypted",
      `This file is encrypted with node key ${ids}, and the node was started without encryption at rest. Switch it ` +
        `on with the key it was used with; nothing was changed`,
      { place },
    );
  }
  const known = slots.flatMap((slot) => {
    const nodeKey = nodeKeyOf(keys, slot.nodeKeyId);
    return nodeKey === null ? [] : [{ slot, nodeKey }];
  });
  if (known.length === 0) {
    throw new StorageError(
      "missingKey",
      `This file is encrypted with node key ${ids}, which this node does not have (it has ${idsOf(keys)}). Put the ` +
        `key ring back that has it; nothing was changed`,
      { place },
    );
  }
  const right = known
    .filter(({ slot, nodeKey }) => isCheckOf(slot, nodeKey))
    .toSorted((a, b) => rankOf(a.nodeKey, keys) - rankOf(b.nodeKey, keys));
  if (right.length === 0) {
    throw new StorageError(
      "wrongKey",
      `This file is encrypted with node key ${ids}, and the key this node has under that number is another one. Put ` +
        `back the key ring that belongs to this data directory; nothing was changed`,
      { place },
    );
  }
  const context = fileContext(identity, keys.nodeId);
  for (const { slot, nodeKey } of right) {
    const bytes = unwrap(slot, nodeKey, context);
    if (bytes !== null) {
      return { key: { bytes, context }, place: slot.place, nodeKeyId: nodeKey.id };
    }
  }
  throw damaged(
    "The wrapped key of this file was made for another node or for another file, or was changed",
    place,
  );
}

function unwrap(slot: KeySlot, nodeKey: AtRestKey, context: Uint8Array): Uint8Array | null {
  const nonce = slot.bytes.subarray(nonceAt, nonceAt + nonceBytes);
  const wrapped = slot.bytes.subarray(wrappedAt, wrappedAt + wrappedBytes);
  return unseal({ key: nodeKey.bytes, nonce, aad: context }, wrapped);
}

function nodeKeyOf(keys: AtRestKeys, id: number): AtRestKey | null {
  return [keys.current, ...keys.older].find((key) => key.id === id) ?? null;
}

function rankOf(nodeKey: AtRestKey, keys: AtRestKeys): number {
  return nodeKey.id === keys.current.id ? 0 : 1;
}

function idsOf(keys: AtRestKeys): string {
  return [keys.current, ...keys.older].map((key) => key.id).join(", ");
}

function checkOf(nodeKey: AtRestKey): Uint8Array {
  const hmac = createHmac("sha256", nodeKey.bytes).update("ferrite node key check");
  return hmac.digest().subarray(0, checkBytes);
}

function isCheckOf(slot: KeySlot, nodeKey: AtRestKey): boolean {
  return checkOf(nodeKey).every((byte, i) => slot.bytes[checkAt + i] === byte);
}
