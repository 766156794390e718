/**
 * Wraps the data key of one file with the current node key, so that an older node key can be dropped although the file
 * stays. Nothing else of the file changes, and the file may be in use: a segment that is being written, too, because
 * its writer never touches the key slots again once the segment has begun.
 *
 *    before           slot 0: key 1      slot 1: zeros
 *    written, synced  slot 0: key 1      slot 1: key 2        a crash may leave slot 1 half written: slot 0 is in force
 *    written, synced  slot 0: zeros      slot 1: key 2        a crash may leave slot 0 half cleared: slot 1 is in force
 */
import type { AtRestKeys } from "./at-rest-keys.ts";
import {
  checkAtRestKeys,
  keySlotAt,
  keySlotBytes,
  openKeySlot,
  wrapFileKey,
} from "./file-envelope.ts";
import type { FileHandle, FileSystem } from "./file-system.ts";
import { encryptedIdentity, isUnused, openIfThere, readFirstSector } from "./first-sector.ts";
import { isZero } from "./record-scan.ts";
import { randomBytesOfThisMachine } from "./random-bytes.ts";
import type { RandomBytes } from "./random-bytes.ts";

export type RewrapOutcome =
  /** Its data key is wrapped with the current node key now, and with no other. */
  | "rewrapped"
  /** It was already. */
  | "current"
  /** It is not encrypted. */
  | "plain"
  /** Nothing was written to it yet: look again once it is in use. */
  | "unused"
  /** It was removed meanwhile. */
  | "gone";

/**
 * Throws `missingKey`, `wrongKey` or `damaged`, naming the file, which is unchanged then, and the system's errors. Calling
 * it again finishes what a crash or an error interrupted. One call at a time for a file.
 */
export function rewrapFile(
  fileSystem: FileSystem,
  path: string,
  keys: AtRestKeys,
  randomBytes: RandomBytes = randomBytesOfThisMachine,
): RewrapOutcome {
  checkAtRestKeys(keys);
  const handle = openIfThere(fileSystem, path, "readWrite");
  if (handle === null) {
    return "gone";
  }
  try {
    return rewrap(handle, { path, keys, randomBytes });
  } finally {
    handle.close();
  }
}

function rewrap(
  handle: FileHandle,
  options: {
    readonly path: string;
    readonly keys: AtRestKeys;
    readonly randomBytes: RandomBytes;
  },
): RewrapOutcome {
  const { path, keys, randomBytes } = options;
  const sector = readFirstSector(handle);
  const identity = encryptedIdentity(sector, path);
  if (identity === null) {
    return isUnused(sector) ? "unused" : "plain";
  }
  const opened = openKeySlot(sector, identity, { keys, file: path });
  const isCurrent = opened.nodeKeyId === keys.current.id;
  const other = 1 - opened.place;
  if (!isCurrent) {
    put(handle, other, wrapFileKey(opened.key, keys.current, randomBytes));
    put(handle, opened.place, new Uint8Array(keySlotBytes));
    return "rewrapped";
  }
  const otherAt = keySlotAt(other);
  if (isZero(sector, otherAt, otherAt + keySlotBytes)) {
    return "current";
  }
  put(handle, other, new Uint8Array(keySlotBytes));
  return "rewrapped";
}

/** Durably: the next step builds on it. */
function put(handle: FileHandle, place: number, slot: Uint8Array): void {
  handle.write(slot, keySlotAt(place));
  handle.sync();
}
