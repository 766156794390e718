/**
 * Reserves the next segment ahead of need, in slices between the log's writes: filling 64 MiB with zeros at once would
 * hold up every write behind it. The file has its final name from the start; without a header it holds nothing.
 *
 * Old segments are not reused: their bytes would have to be overwritten with durable zeros first (a torn write is
 * recognised by the zeros it left), which is all the work there is.
 */
import { StorageError, isNoSpace } from "./errors.ts";
import type { FileHandle, FileSystem } from "./file-system.ts";
import { segmentFileName } from "./segment-format.ts";

/** Bytes filled with zeros and synced at a time. */
export const reserveSliceBytes: number = 512 * 1024;

export class SegmentReserve {
  readonly #fileSystem: FileSystem;
  readonly #directory: string;
  readonly #number: number;
  #handle: FileHandle | null = null;
  #reservedBytes = 0;

  constructor(fileSystem: FileSystem, directory: string, number: number) {
    this.#fileSystem = fileSystem;
    this.#directory = directory;
    this.#number = number;
  }

  get reservedBytes(): number {
    return this.#reservedBytes;
  }

  get path(): string {
    return `${this.#directory}/${segmentFileName(this.#number)}`;
  }

  /**
   * Makes the file one slice longer, at most `targetBytes` long, durably. True when it is that long.
   *
   * Throws `noSpace`; calling it again later goes on where it stopped.
   */
  step(targetBytes: number): boolean {
    try {
      const handle = this.#open();
      if (this.#reservedBytes < targetBytes) {
        const sizeBytes = Math.min(targetBytes, this.#reservedBytes + reserveSliceBytes);
        handle.reserve(sizeBytes);
        handle.sync();
        this.#reservedBytes = sizeBytes;
      }
      return this.#reservedBytes >= targetBytes;
    } catch (error) {
      if (isNoSpace(error)) {
        throw new StorageError(
          "noSpace",
          `No room on the disk to reserve ${targetBytes} bytes for log segment ${this.path}. Writes wait until ` +
            `there is; free some space`,
          { cause: error },
        );
      }
      throw error;
    }
  }

  /** Hands the completely reserved file over. */
  take(): FileHandle {
    const handle = this.#open();
    this.#handle = null;
    return handle;
  }

  close(): void {
    this.#handle?.close();
    this.#handle = null;
  }

  #open(): FileHandle {
    if (this.#handle !== null) {
      return this.#handle;
    }
    const exists = this.#fileSystem.exists(this.path);
    const handle = this.#fileSystem.open(this.path, exists ? "readWrite" : "create");
    try {
      // Its name must be durable before its header is: a segment that vanishes would be a loss, not a torn write.
      this.#fileSystem.syncDirectory(this.#directory);
      this.#reservedBytes = handle.sizeBytes();
    } catch (error) {
      handle.close();
      throw error;
    }
    this.#handle = handle;
    return handle;
  }
}
