/**
 * Files for snapshots, with callbacks: a snapshot is long and must not hold up the main thread, and its latency does
 * not matter, so in production it goes through the thread pool. The simulator runs the same store on its virtual disk.
 */
import { close, constants, fsync, open, read, rename, unlink, write } from "node:fs";
import type { FileHandle, FileSystem } from "./file-system.ts";

type Done = (error: Error | null) => void;

export interface CallbackFile {
  /** Writes all of `bytes` (no short writes). */
  write(bytes: Uint8Array, position: number, done: Done): void;
  /** Reads up to `into.length` bytes; fewer only at the end of the file. */
  read(
    into: Uint8Array,
    position: number,
    done: (error: Error | null, count: number) => void,
  ): void;
  sync(done: Done): void;
  close(done: Done): void;
}

export interface CallbackFileSystem {
  /** `create` fails when the file (or a symbolic link) exists. */
  open(
    path: string,
    mode: "create" | "read",
    done: (error: Error | null, file: CallbackFile | null) => void,
  ): void;
  rename(from: string, to: string, done: Done): void;
  remove(path: string, done: Done): void;
  syncDirectory(directory: string, done: Done): void;
}

class NodeCallbackFile implements CallbackFile {
  readonly #descriptor: number;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  write(bytes: Uint8Array, position: number, done: Done): void {
    write(this.#descriptor, bytes, 0, bytes.length, position, (error, count) => {
      if (error !== null || count === bytes.length) {
        done(error);
      } else {
        this.write(bytes.subarray(count), position + count, done);
      }
    });
  }

  read(
    into: Uint8Array,
    position: number,
    done: (error: Error | null, count: number) => void,
  ): void {
    read(this.#descriptor, into, 0, into.length, position, (error, count) => {
      if (error !== null || count === 0 || count === into.length) {
        done(error, count);
      } else {
        this.read(into.subarray(count), position + count, (nextError, nextCount) =>
          done(nextError, count + nextCount),
        );
      }
    });
  }

  sync(done: Done): void {
    fsync(this.#descriptor, done);
  }

  close(done: Done): void {
    close(this.#descriptor, (error) => done(error ?? null));
  }
}

/** On the machine's disk. */
export class NodeCallbackFileSystem implements CallbackFileSystem {
  open(
    path: string,
    mode: "create" | "read",
    done: (error: Error | null, file: CallbackFile | null) => void,
  ): void {
    const flags =
      mode === "create"
        ? constants.O_RDWR | constants.O_CREAT | constants.O_EXCL
        : constants.O_RDONLY;
    open(path, flags | constants.O_NOFOLLOW, 0o600, (error, descriptor) =>
      done(error, error === null ? new NodeCallbackFile(descriptor) : null),
    );
  }

  rename(from: string, to: string, done: Done): void {
    rename(from, to, done);
  }

  remove(path: string, done: Done): void {
    unlink(path, done);
  }

  syncDirectory(directory: string, done: Done): void {
    open(directory, constants.O_RDONLY | constants.O_DIRECTORY, (openError, descriptor) => {
      if (openError !== null) {
        done(openError);
        return;
      }
      fsync(descriptor, (syncError) => {
        close(descriptor, (closeError) => done(syncError ?? closeError ?? null));
      });
    });
  }
}

/** On a synchronous file system: each step runs when `schedule` says, so that a crash can fall between any two. */
export class ScheduledFileSystem implements CallbackFileSystem {
  readonly #fileSystem: FileSystem;
  readonly #schedule: (run: () => void) => void;

  constructor(fileSystem: FileSystem, schedule: (run: () => void) => void) {
    this.#fileSystem = fileSystem;
    this.#schedule = schedule;
  }

  open(
    path: string,
    mode: "create" | "read",
    done: (error: Error | null, file: CallbackFile | null) => void,
  ): void {
    this.#step(
      () => this.#file(this.#fileSystem.open(path, mode)),
      (error, file) => done(error, file ?? null),
    );
  }

  rename(from: string, to: string, done: Done): void {
    this.#step(() => this.#fileSystem.rename(from, to), done);
  }

  remove(path: string, done: Done): void {
    this.#step(() => this.#fileSystem.remove(path), done);
  }

  syncDirectory(directory: string, done: Done): void {
    this.#step(() => this.#fileSystem.syncDirectory(directory), done);
  }

  #file(handle: FileHandle): CallbackFile {
    return {
      write: (bytes, position, done) => this.#step(() => handle.write(bytes, position), done),
      read: (into, position, done) =>
        this.#step(
          () => handle.read(into, position),
          (error, count) => done(error, count ?? 0),
        ),
      sync: (done) => this.#step(() => handle.sync(), done),
      close: (done) => this.#step(() => handle.close(), done),
    };
  }

  #step<T>(action: () => T, done: (error: Error | null, result: T | undefined) => void): void {
    this.#schedule(() => {
      let result: T;
      try {
        result = action();
      } catch (error) {
        done(error instanceof Error ? error : new Error(String(error)), undefined);
        return;
      }
      done(null, result);
    });
  }
}
