/**
 * Files in memory on a disk that can lose what was not synced (sector by sector, or all behind some byte of the last
 * writes), run full, fail a sync, and stop in the middle of things.
 */
import type { FileHandle, FileSystem } from "../../src/disk/file-system.ts";
import type { SeededRandom } from "./seeded-random.ts";

const sectorBytes = 512;

interface UnsyncedWrite {
  readonly position: number;
  readonly bytes: Uint8Array;
}

interface FileNode {
  bytes: Uint8Array;
  durable: Uint8Array;
  unsynced: UnsyncedWrite[];
}

function systemError(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}

function resized(bytes: Uint8Array, sizeBytes: number): Uint8Array {
  const copy = new Uint8Array(sizeBytes);
  copy.set(bytes.subarray(0, sizeBytes));
  return copy;
}

export class FaultFileSystem implements FileSystem {
  #names: Map<string, FileNode> = new Map();
  #durableNames: Map<string, FileNode> = new Map();
  #epoch = 0;
  /** Room on the disk. */
  capacityBytes: number = Infinity;
  /** Every sync fails with EIO while set. */
  failSyncs = false;
  /** Steps (writes, syncs, changes of names) until the machine stops; null = it runs. */
  stepsLeft: number | null = null;
  /** How many steps were made. */
  steps = 0;
  fileSyncs = 0;

  open(path: string, mode: "create" | "read" | "readWrite"): FileHandle {
    if (mode === "create") {
      this.#step(path);
      if (this.#names.has(path)) {
        throw systemError("EEXIST", path);
      }
      this.#names.set(path, {
        bytes: new Uint8Array(0),
        durable: new Uint8Array(0),
        unsynced: [],
      });
    }
    const node = this.#names.get(path);
    if (node === undefined) {
      throw systemError("ENOENT", path);
    }
    return this.#handle(node, path);
  }

  exists(path: string): boolean {
    return this.#names.has(path);
  }

  list(directory: string): string[] {
    return [...this.#names.keys()]
      .filter((path) => path.startsWith(`${directory}/`))
      .map((path) => path.slice(directory.length + 1))
      .toSorted();
  }

  makeDirectory(directory: string): void {
    this.#step(directory);
  }

  rename(from: string, to: string): void {
    this.#step(from);
    const node = this.#names.get(from);
    if (node === undefined) {
      throw systemError("ENOENT", from);
    }
    this.#names.delete(from);
    this.#names.set(to, node);
  }

  remove(path: string): void {
    this.#step(path);
    if (!this.#names.delete(path)) {
      throw systemError("ENOENT", path);
    }
  }

  syncDirectory(directory: string): void {
    this.#step(directory);
    const inside = (path: string): boolean => path.startsWith(`${directory}/`);
    for (const path of [...this.#durableNames.keys()].filter(inside)) {
      this.#durableNames.delete(path);
    }
    for (const [path, node] of this.#names) {
      if (inside(path)) {
        this.#durableNames.set(path, node);
      }
    }
  }

  /** Power is lost: what was not synced survives in part. Handles of before are dead. */
  crash(random: SeededRandom): void {
    this.#epoch += 1;
    this.stepsLeft = null;
    this.failSyncs = false;
    const survivors: Map<string, FileNode> = new Map();
    const paths = new Set([...this.#names.keys(), ...this.#durableNames.keys()]);
    for (const path of [...paths].toSorted()) {
      const node = random.chance(0.5) ? this.#names.get(path) : this.#durableNames.get(path);
      if (node !== undefined) {
        survivors.set(path, node);
      }
    }
    for (const node of new Set(survivors.values())) {
      crashFile(node, random);
    }
    this.#names = survivors;
    this.#durableNames = new Map(survivors);
  }

  /** The bytes of a file, for damaging them: changes are as if they had always been on the disk. */
  contents(path: string): Uint8Array {
    const node = this.#names.get(path);
    if (node === undefined) {
      throw systemError("ENOENT", path);
    }
    return node.bytes;
  }

  /** Puts a file on the disk as it is. */
  put(path: string, bytes: Uint8Array): void {
    const node = { bytes: bytes.slice(), durable: bytes.slice(), unsynced: [] };
    this.#names.set(path, node);
    this.#durableNames.set(path, node);
  }

  discard(path: string): void {
    this.#names.delete(path);
    this.#durableNames.delete(path);
  }

  /** A copy of everything, as if it all were synced. */
  copy(): FaultFileSystem {
    const copy = new FaultFileSystem();
    for (const [path, node] of this.#names) {
      copy.put(path, node.bytes);
    }
    return copy;
  }

  usedBytes(): number {
    let used = 0;
    for (const node of this.#names.values()) {
      used += node.bytes.length;
    }
    return used;
  }

  #step(path: string): void {
    this.steps += 1;
    if (this.stepsLeft !== null) {
      if (this.stepsLeft === 0) {
        throw systemError("STOPPED", path);
      }
      this.stepsLeft -= 1;
    }
  }

  #write(node: FileNode, bytes: Uint8Array, position: number): void {
    const end = position + bytes.length;
    if (end > node.bytes.length) {
      node.bytes = resized(node.bytes, end);
    }
    node.bytes.set(bytes, position);
    node.unsynced.push({ position, bytes: bytes.slice() });
  }

  #handle(node: FileNode, path: string): FileHandle {
    const epoch = this.#epoch;
    const step = (): void => {
      if (epoch !== this.#epoch) {
        throw systemError("EBADF", path);
      }
      this.#step(path);
    };
    return {
      write: (bytes, position) => {
        step();
        this.#makeRoom(node, position + bytes.length, path);
        this.#write(node, bytes, position);
      },
      read: (into, position) => {
        const bytes = node.bytes.subarray(position, position + into.length);
        into.set(bytes);
        return bytes.length;
      },
      sync: () => {
        step();
        if (this.failSyncs) {
          throw systemError("EIO", path);
        }
        this.fileSyncs += 1;
        node.durable = node.bytes.slice();
        node.unsynced = [];
      },
      reserve: (sizeBytes) => {
        step();
        const room = this.#roomFor(node, sizeBytes);
        if (room > node.bytes.length) {
          this.#write(node, new Uint8Array(room - node.bytes.length), node.bytes.length);
        }
        if (room < sizeBytes) {
          throw systemError("ENOSPC", path);
        }
      },
      truncate: (sizeBytes) => {
        step();
        node.bytes = resized(node.bytes, sizeBytes);
      },
      sizeBytes: () => node.bytes.length,
      close: () => undefined,
    };
  }

  /** How long the file can get, at most `sizeBytes`. */
  #roomFor(node: FileNode, sizeBytes: number): number {
    const free = this.capacityBytes - this.usedBytes();
    return Math.min(sizeBytes, node.bytes.length + Math.max(0, free));
  }

  #makeRoom(node: FileNode, sizeBytes: number, path: string): void {
    if (sizeBytes > node.bytes.length && this.#roomFor(node, sizeBytes) < sizeBytes) {
      throw systemError("ENOSPC", path);
    }
  }
}

function crashFile(node: FileNode, random: SeededRandom): void {
  const keepSize = random.chance(0.5);
  const survivor = resized(node.durable, keepSize ? node.bytes.length : node.durable.length);
  if (random.chance(0.5)) {
    keepSectors(node, survivor, random);
  } else {
    keepPrefix(node, survivor, random);
  }
  node.bytes = survivor;
  node.durable = survivor.slice();
  node.unsynced = [];
}

/** Each sector that was written is old or new. */
function keepSectors(node: FileNode, survivor: Uint8Array, random: SeededRandom): void {
  const dirty: Set<number> = new Set();
  for (const { position, bytes } of node.unsynced) {
    const last = Math.floor((position + bytes.length - 1) / sectorBytes);
    for (let sector = Math.floor(position / sectorBytes); sector <= last; sector += 1) {
      dirty.add(sector);
    }
  }
  for (const sector of [...dirty].toSorted((a, b) => a - b)) {
    const start = sector * sectorBytes;
    if (random.chance(0.5) && start < survivor.length) {
      const end = Math.min(start + sectorBytes, survivor.length, node.bytes.length);
      survivor.set(node.bytes.subarray(start, end), start);
    }
  }
}

/** Writes arrived in order, up to some byte. */
function keepPrefix(node: FileNode, survivor: Uint8Array, random: SeededRandom): void {
  const total = node.unsynced.reduce((sum, write) => sum + write.bytes.length, 0);
  let left = random.between(0, total);
  for (const { position, bytes } of node.unsynced) {
    const length = Math.max(0, Math.min(left, bytes.length, survivor.length - position));
    survivor.set(bytes.subarray(0, length), position);
    left -= bytes.length;
    if (left <= 0) {
      break;
    }
  }
}
