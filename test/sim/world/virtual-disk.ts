/**
 * A disk that forgets. What was written and not synced may be gone after a crash, sector by sector: a write may be
 * torn in the middle. What was synced stays. Directory entries follow the same rule: a file created or renamed
 * without a directory sync may be back under its old name, or nowhere.
 */
import type { FileHandle, FileSystem } from "@ferrite/storage";
import type { Prng } from "./prng.ts";

const SECTOR_BYTES = 512;

class Inode {
  /** As programs see it. */
  current: Buffer = Buffer.alloc(0);
  /** As it would be after a crash that loses everything unsynced. */
  durable: Buffer = Buffer.alloc(0);
  /** Sectors that differ between the two. */
  readonly dirty: Set<number> = new Set();

  write(bytes: Uint8Array, position: number): void {
    this.resize(Math.max(this.current.length, position + bytes.length));
    this.current.set(bytes, position);
    const last = Math.floor((position + bytes.length - 1) / SECTOR_BYTES);
    for (let sector = Math.floor(position / SECTOR_BYTES); sector <= last; sector++)
      this.dirty.add(sector);
  }

  resize(sizeBytes: number): void {
    if (sizeBytes === this.current.length) return;
    const resized = Buffer.alloc(sizeBytes);
    this.current.copy(resized, 0, 0, sizeBytes);
    this.current = resized;
  }

  sync(): void {
    if (this.durable.length !== this.current.length) {
      this.durable = Buffer.from(this.current);
    } else {
      for (const sector of this.dirty) {
        const start = sector * SECTOR_BYTES;
        if (start < this.current.length)
          this.current.copy(this.durable, start, start, start + SECTOR_BYTES);
      }
    }
    this.dirty.clear();
  }

  /** Power is lost: every unsynced sector is there or not, as chance has it. */
  crash(prng: Prng): void {
    const keepSize = this.dirty.size === 0 || prng.chance(0.5);
    const survivor = Buffer.alloc(keepSize ? this.current.length : this.durable.length);
    this.durable.copy(survivor, 0, 0, survivor.length);
    for (const sector of [...this.dirty].sort((left, right) => left - right)) {
      if (!prng.chance(0.5)) continue;
      const start = sector * SECTOR_BYTES;
      if (start < survivor.length) this.current.copy(survivor, start, start, start + SECTOR_BYTES);
    }
    this.current = survivor;
    this.sync();
  }
}

function systemError(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: virtual disk, ${path}`), { code });
}

export class VirtualDisk implements FileSystem {
  readonly #prng: Prng;
  /** Names as programs see them, and as a crash would leave them. */
  #names: Map<string, Inode> = new Map();
  #durableNames: Map<string, Inode> = new Map();
  readonly #directories: Set<string> = new Set();
  /** The next sync fails with EIO when set. */
  failNextSync = false;
  /** Of the syncs before it, so many go well. */
  syncsBeforeFailure = 0;
  /** The next write to a file whose path holds this text fails with EIO. */
  failNextWriteTo: string | null = null;
  /** No file can grow and none can be made with contents. */
  isFull = false;
  /** Syncs are answered and not made: what is written since then is gone with the power. */
  isLying = false;
  /** Something was changed on it behind the back of the node. */
  wasDamaged = false;
  /** The power went while it lied: what it had promised may be gone, and nobody can tell. */
  hasBrokenPromises = false;
  /** How many times as long as usual a log write takes. */
  slowness = 1;
  /** Told of every write that reaches a file. */
  onWrite: (path: string, bytes: Uint8Array, position: number) => void = () => {};
  /** Handles of before the last crash are dead. */
  #epoch = 0;

  constructor(prng: Prng) {
    this.#prng = prng;
  }

  open(path: string, mode: "create" | "read" | "readWrite"): FileHandle {
    let inode = this.#names.get(path);
    if (mode === "create") {
      if (inode !== undefined) throw systemError("EEXIST", path);
      inode = new Inode();
      this.#names.set(path, inode);
    }
    if (inode === undefined) throw systemError("ENOENT", path);
    return this.#handle(inode, path);
  }

  exists(path: string): boolean {
    return this.#names.has(path) || this.#directories.has(path);
  }

  list(directory: string): string[] {
    const prefix = `${directory}/`;
    return [...this.#names.keys()]
      .filter((path) => path.startsWith(prefix) && !path.slice(prefix.length).includes("/"))
      .map((path) => path.slice(prefix.length))
      .sort();
  }

  makeDirectory(directory: string): void {
    this.#directories.add(directory);
  }

  rename(from: string, to: string): void {
    const inode = this.#names.get(from);
    if (inode === undefined) throw systemError("ENOENT", from);
    this.#names.delete(from);
    this.#names.set(to, inode);
  }

  remove(path: string): void {
    if (!this.#names.delete(path)) throw systemError("ENOENT", path);
  }

  syncDirectory(directory: string): void {
    const prefix = `${directory}/`;
    for (const path of this.#durableNames.keys()) {
      if (path.startsWith(prefix) && !this.#names.has(path)) this.#durableNames.delete(path);
    }
    for (const [path, inode] of this.#names) {
      if (path.startsWith(prefix)) this.#durableNames.set(path, inode);
    }
  }

  /** The process is gone and the machine is not: what was written is there, and as little durable as before. */
  processEnded(): void {
    this.#epoch++;
    this.failNextSync = false;
    this.syncsBeforeFailure = 0;
    this.failNextWriteTo = null;
  }

  /** Power is lost. Each unsynced change of a name happened or not. */
  crash(): void {
    this.processEnded();
    if (this.isLying) this.hasBrokenPromises = true;
    const survivors: Map<string, Inode> = new Map();
    const paths = [...new Set([...this.#names.keys(), ...this.#durableNames.keys()])].sort();
    for (const path of paths) {
      const current = this.#names.get(path);
      const durable = this.#durableNames.get(path);
      const kept = current === durable || this.#prng.chance(0.5) ? current : durable;
      if (kept !== undefined) survivors.set(path, kept);
    }
    for (const inode of new Set(survivors.values())) inode.crash(this.#prng);
    this.#names = survivors;
    this.#durableNames = new Map(survivors);
  }

  /** All files as programs see them, by name. Nothing of it may be changed. */
  *files(): Generator<{ readonly path: string; readonly bytes: Buffer }> {
    for (const path of [...this.#names.keys()].sort()) {
      yield { path, bytes: this.#names.get(path)!.current };
    }
  }

  /** Everything that is on the platters or on its way there, files that lost their name included. */
  *traces(): Generator<{ readonly path: string; readonly bytes: Buffer }> {
    for (const names of [this.#names, this.#durableNames]) {
      for (const [path, { current, durable }] of names) {
        yield { path, bytes: current };
        yield { path, bytes: durable };
      }
    }
  }

  /** Bytes of a file change behind everybody's back, on the platters, too. */
  damage(path: string, bytes: Uint8Array, position: number): void {
    const inode = this.#names.get(path);
    if (inode === undefined) throw systemError("ENOENT", path);
    inode.current.set(bytes, position);
    if (position + bytes.length <= inode.durable.length) inode.durable.set(bytes, position);
  }

  /** A disk of its own with the same files, as programs see them. */
  copy(): VirtualDisk {
    const copy = new VirtualDisk(this.#prng);
    for (const directory of this.#directories) copy.#directories.add(directory);
    for (const { path, bytes } of this.files()) {
      const inode = new Inode();
      inode.current = Buffer.from(bytes);
      inode.durable = Buffer.from(bytes);
      copy.#names.set(path, inode);
      copy.#durableNames.set(path, inode);
    }
    return copy;
  }

  #checkRoom(grows: boolean, path: string): void {
    if (this.isFull && grows) throw systemError("ENOSPC", path);
  }

  #handle(inode: Inode, path: string): FileHandle {
    const epoch = this.#epoch;
    const alive = (): void => {
      if (epoch !== this.#epoch) throw systemError("EBADF", path);
    };
    return {
      write: (bytes, position) => {
        alive();
        if (this.failNextWriteTo !== null && path.includes(this.failNextWriteTo)) {
          this.failNextWriteTo = null;
          throw systemError("EIO", path);
        }
        this.#checkRoom(position + bytes.length > inode.current.length, path);
        inode.write(bytes, position);
        this.onWrite(path, bytes, position);
      },
      read: (into, position) => {
        alive();
        return inode.current.copy(
          into,
          0,
          position,
          Math.min(inode.current.length, position + into.length),
        );
      },
      sync: () => {
        alive();
        if (this.failNextSync && this.syncsBeforeFailure-- <= 0) {
          this.failNextSync = false;
          this.syncsBeforeFailure = 0;
          throw systemError("EIO", path);
        }
        if (!this.isLying) inode.sync();
      },
      reserve: (sizeBytes) => {
        alive();
        if (inode.current.length < sizeBytes) {
          this.#checkRoom(true, path);
          inode.write(Buffer.alloc(sizeBytes - inode.current.length), inode.current.length);
        }
      },
      truncate: (sizeBytes) => {
        alive();
        inode.resize(sizeBytes);
        inode.dirty.add(Math.floor(sizeBytes / SECTOR_BYTES));
      },
      sizeBytes: () => inode.current.length,
      close: () => {},
    };
  }
}
