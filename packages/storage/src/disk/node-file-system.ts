/** The `FileSystem` port on the real disk: synchronous node:fs calls, for the log's worker thread and for boot. */
import {
  closeSync,
  constants,
  existsSync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import type { FileHandle, FileSystem } from "./file-system.ts";

const fileMode = 0o600;
const directoryMode = 0o700;

/** Zeros are written in pieces of this size. */
const zeroBlockBytes = 1024 * 1024;
let zeroBlock: Uint8Array | null = null;

class NodeFileHandle implements FileHandle {
  readonly #descriptor: number;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  write(bytes: Uint8Array, position: number): void {
    // The kernel may write less than asked (a signal, a nearly full disk): go on until all is written or it says why not.
    let done = 0;
    while (done < bytes.length) {
      done += writeSync(this.#descriptor, bytes, done, bytes.length - done, position + done);
    }
  }

  read(into: Uint8Array, position: number): number {
    let done = 0;
    while (done < into.length) {
      const count = readSync(this.#descriptor, into, done, into.length - done, position + done);
      if (count === 0) {
        break;
      }
      done += count;
    }
    return done;
  }

  sync(): void {
    fdatasyncSync(this.#descriptor);
  }

  reserve(sizeBytes: number): void {
    zeroBlock ??= new Uint8Array(zeroBlockBytes);
    let position = this.sizeBytes();
    while (position < sizeBytes) {
      const length = Math.min(zeroBlockBytes, sizeBytes - position);
      // One call per step and no loop until complete: after a short write the next step starts at the new size.
      position += writeSync(this.#descriptor, zeroBlock, 0, length, position);
    }
  }

  truncate(sizeBytes: number): void {
    ftruncateSync(this.#descriptor, sizeBytes);
  }

  sizeBytes(): number {
    return fstatSync(this.#descriptor).size;
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

export class NodeFileSystem implements FileSystem {
  open(path: string, mode: "create" | "read" | "readWrite"): FileHandle {
    // O_NOFOLLOW: a symbolic link planted in the data directory must not make the node write somewhere else.
    const flags =
      mode === "create"
        ? constants.O_RDWR | constants.O_CREAT | constants.O_EXCL
        : mode === "read"
          ? constants.O_RDONLY
          : constants.O_RDWR;
    return new NodeFileHandle(openSync(path, flags | constants.O_NOFOLLOW, fileMode));
  }

  exists(path: string): boolean {
    return existsSync(path);
  }

  list(directory: string): string[] {
    return readdirSync(directory).toSorted();
  }

  makeDirectory(directory: string): void {
    mkdirSync(directory, { recursive: true, mode: directoryMode });
  }

  rename(from: string, to: string): void {
    renameSync(from, to);
  }

  remove(path: string): void {
    unlinkSync(path);
  }

  syncDirectory(directory: string): void {
    const descriptor = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  }
}
