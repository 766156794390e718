/**
 * The port between the log and the machine's files. All calls are synchronous: in production they run on the log's
 * worker thread, in the simulator on a virtual disk that can lose what was not synced and tear what was.
 *
 * What a crash may leave, and recovery copes with: what was synced is there. Of what was written and not synced, each
 * aligned sector of 512 bytes is old or new; or writes arrived in order up to some byte. A file's new length may be
 * there or not. Of changes to names that were not synced with `syncDirectory`, any may have happened.
 *
 * Errors are Node.js system errors (`code` ENOSPC, EIO, ...). A failed `sync` means the data may be gone: the caller
 * stops the node and never tries again (what the kernel does with dirty pages after a failed fsync is not defined).
 */
export interface FileHandle {
  /** Writes all of `bytes` at `position` (no short writes). */
  write(bytes: Uint8Array, position: number): void;
  /** Reads up to `into.length` bytes; returns how many were there. */
  read(into: Uint8Array, position: number): number;
  /** Makes written bytes durable (fdatasync). */
  sync(): void;
  /**
   * Makes the file at least `sizeBytes` long with space really reserved (zeros written behind its end), so that later
   * writes can not fail with ENOSPC. After ENOSPC it may be called again and goes on where it stopped. Not yet durable.
   */
  reserve(sizeBytes: number): void;
  truncate(sizeBytes: number): void;
  sizeBytes(): number;
  close(): void;
}

export interface FileSystem {
  /** `create` fails when the file exists; files are made with mode 0600. */
  open(path: string, mode: "create" | "read" | "readWrite"): FileHandle;
  exists(path: string): boolean;
  /** Names in a directory, sorted. */
  list(directory: string): string[];
  /** Made with mode 0700, parents too. */
  makeDirectory(directory: string): void;
  rename(from: string, to: string): void;
  remove(path: string): void;
  /** Makes creations, renames and removals in `directory` durable. */
  syncDirectory(directory: string): void;
}
