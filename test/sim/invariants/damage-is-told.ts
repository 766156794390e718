/**
 * A bit that changes on the disk is told or does no harm: the node does not start, or it has the same log, vote and snapshot as
 * without it. Tried on copies of a node's disk, at the end of a run.
 */
import type { Index, Term } from "@ferrite/raft";
import {
  FileSystemSnapshotStore,
  SegmentedLog,
  StorageError,
  type AtRestKeys,
  type RepairPlaces,
  type RandomBytes,
} from "@ferrite/storage";
import { crc32 } from "node:zlib";
import type { Prng } from "../world/prng.ts";
import type { VirtualDisk } from "../world/virtual-disk.ts";

/** A node that is as good as stopped. */
export interface StoppedNode {
  readonly name: string;
  readonly disk: VirtualDisk;
  readonly places: RepairPlaces;
  readonly keys: AtRestKeys | null;
  readonly randomBytes: RandomBytes;
}

const FLIPS = 4;
/** Of segments that an opening begins: nothing is written behind it. */
const SALT = 1;

/** `cuts` puts the defect in that this has to find: everything behind the bit is gone with it. */
export function damageNotTold(node: StoppedNode, prng: Prng, cuts: boolean): string[] {
  const whole = recovered(node, node.disk.copy());
  return Array.from({ length: FLIPS }, () => {
    const disk = node.disk.copy();
    const place = flipBit(node, disk, prng, cuts);
    return isToldOrHarmless(node, disk, whole)
      ? []
      : [`damage is told: ${node.name} starts with another state after a bit changed at ${place}`];
  }).flat();
}

function isToldOrHarmless(node: StoppedNode, disk: VirtualDisk, whole: string): boolean {
  try {
    return recovered(node, disk) === whole;
  } catch (error) {
    if (error instanceof StorageError) return true;
    throw error;
  }
}

/** In what is written of log and snapshots: there is more to find than in space that is reserved. */
function flipBit(node: StoppedNode, disk: VirtualDisk, prng: Prng, cuts: boolean): string {
  const directories = [node.places.log.directory, node.places.snapshots.directory];
  const files = [...disk.files()]
    .map(({ path, bytes }) => ({ path, writtenBytes: writtenBytes(bytes) }))
    .filter(({ path, writtenBytes: sizeBytes }) => {
      return sizeBytes > 0 && directories.some((directory) => path.startsWith(`${directory}/`));
    });
  const { path, writtenBytes: sizeBytes } = prng.pick(files);
  const position = prng.between(0, sizeBytes);
  const handle = disk.open(path, "readWrite");
  const bytes = new Uint8Array(cuts ? sizeBytes - position : 1);
  if (!cuts) {
    handle.read(bytes, position);
    bytes[0] ^= 1 << prng.between(0, 8);
  }
  handle.write(bytes, position);
  handle.sync();
  handle.close();
  return `byte ${position} of ${path}`;
}

function writtenBytes(bytes: Buffer): number {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  return end;
}

/** All that a node would start with, in words. Throws `StorageError` when it would not. */
function recovered(node: StoppedNode, disk: VirtualDisk): string {
  const { keys: encryption, randomBytes } = node;
  const snapshots = FileSystemSnapshotStore.open(disk, {
    ...node.places.snapshots,
    encryption,
    randomBytes,
    schedule: (run) => run(),
  });
  const latest = snapshots.latest();
  const after: { readonly index: Index; readonly term: Term } = {
    index: latest?.index ?? 0,
    term: latest?.term ?? 0,
  };
  const { log, recovered: found } = SegmentedLog.open(disk, {
    ...node.places.log,
    encryption,
    randomBytes,
    randomSalt: () => SALT,
    after,
  });
  log.close();
  let bodySum = 0;
  if (latest !== null) {
    const range = { offsetBytes: 0, lengthBytes: latest.sizeBytes };
    snapshots.read(latest, range, (error, bytes) => {
      if (error !== null) throw error;
      bodySum = crc32(bytes);
    });
  }
  const entries = found.entries.map(({ index, term, kind, data }) => {
    return `${index} ${term} ${crc32(data, kind)}`;
  });
  return JSON.stringify([latest, bodySum, found.hardState, entries]);
}
