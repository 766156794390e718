/**
 * The disk as the trail sees it: asynchronous, so that a slow disk delays records and never commands. A seam, so that
 * tests can fill the disk.
 */
import { constants } from "node:fs";
import {
  chmod,
  lstat,
  mkdir,
  open,
  readdir,
  stat,
  unlink,
  type FileHandle,
} from "node:fs/promises";
import { AuditError } from "../errors.ts";

export interface AuditFile {
  readonly path: string;
  /** Writes all of `bytes` at `position`, or rejects; part of them may then be there. */
  write(bytes: Uint8Array, position: number): Promise<void>;
  /** Reads up to `into.length` bytes; resolves with how many were there. */
  read(into: Uint8Array, position: number): Promise<number>;
  /** fdatasync */
  sync(): Promise<void>;
  truncate(sizeBytes: number): Promise<void>;
  sizeBytes(): Promise<number>;
  /** Whether this file is still the one of its name: it may have been removed or replaced from outside. */
  isInPlace(): Promise<boolean>;
  close(): Promise<void>;
}

export interface AuditFileSystem {
  /** Makes the directory with mode 0700. @throws AuditError unsafePath for a link or what belongs to somebody else */
  prepareDirectory(directory: string): Promise<void>;
  list(directory: string): Promise<string[]>;
  /** `create` fails when the file exists (mode 0600). Links are never followed. */
  open(path: string, mode: "create" | "read" | "readWrite"): Promise<AuditFile>;
  remove(path: string): Promise<void>;
  /** Makes new names in it durable. */
  syncDirectory(directory: string): Promise<void>;
}

const FILE_MODE = 0o600;
const DIRECTORY_MODE = 0o700;

const OPEN_FLAGS = {
  create: constants.O_RDWR | constants.O_CREAT | constants.O_EXCL,
  read: constants.O_RDONLY,
  readWrite: constants.O_RDWR,
} as const;

export class DiskAuditFileSystem implements AuditFileSystem {
  async prepareDirectory(directory: string): Promise<void> {
    await mkdir(directory, { recursive: true, mode: DIRECTORY_MODE });
    const stats = await lstat(directory);
    if (!stats.isDirectory()) {
      throw new AuditError("unsafePath", `${directory} is a link or a file, not a directory`);
    }
    checkOwner(stats.uid, directory);
    if ((stats.mode & 0o077) !== 0) await chmod(directory, DIRECTORY_MODE);
  }

  async list(directory: string): Promise<string[]> {
    return await readdir(directory);
  }

  async open(path: string, mode: "create" | "read" | "readWrite"): Promise<AuditFile> {
    let handle: FileHandle;
    try {
      handle = await open(path, OPEN_FLAGS[mode] | constants.O_NOFOLLOW, FILE_MODE);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ELOOP") throw error;
      throw new AuditError("unsafePath", `${path} is a link; the trail follows none`, {
        cause: error,
      });
    }
    try {
      const stats = await handle.stat();
      if (!stats.isFile()) throw new AuditError("unsafePath", `${path} is not a file`);
      if (mode !== "read") {
        checkOwner(stats.uid, path);
        if ((stats.mode & 0o077) !== 0) await handle.chmod(FILE_MODE);
      }
      return new DiskAuditFile(path, handle);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  async remove(path: string): Promise<void> {
    await unlink(path);
  }

  async syncDirectory(directory: string): Promise<void> {
    const handle = await open(directory, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  }
}

function checkOwner(owner: number, path: string): void {
  const own = process.geteuid?.();
  if (own === undefined || owner === own) return;
  throw new AuditError(
    "unsafePath",
    `${path} belongs to user ${owner}, not to the node's (${own})`,
  );
}

class DiskAuditFile implements AuditFile {
  readonly path: string;
  readonly #handle: FileHandle;

  constructor(path: string, handle: FileHandle) {
    this.path = path;
    this.#handle = handle;
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    // The kernel may take less than asked (a nearly full disk): go on until all is written or it says why not.
    let done = 0;
    while (done < bytes.length) {
      const { bytesWritten } = await this.#handle.write(
        bytes,
        done,
        bytes.length - done,
        position + done,
      );
      done += bytesWritten;
    }
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    let done = 0;
    while (done < into.length) {
      const { bytesRead } = await this.#handle.read(
        into,
        done,
        into.length - done,
        position + done,
      );
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    return done;
  }

  async sync(): Promise<void> {
    await this.#handle.datasync();
  }

  async truncate(sizeBytes: number): Promise<void> {
    await this.#handle.truncate(sizeBytes);
  }

  async sizeBytes(): Promise<number> {
    return (await this.#handle.stat()).size;
  }

  async isInPlace(): Promise<boolean> {
    const own = await this.#handle.stat();
    try {
      const named = await stat(this.path);
      return named.ino === own.ino && named.dev === own.dev;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}
