/**
 * The trail on disk. Records are taken at once and written later, in order, many at a time; nothing waits for the disk.
 * A write that fails is tried again with the same records at the same place, so that half a line that a full disk left
 * is overwritten by the whole one.
 */
import type { AuditSyncPolicy } from "../audit-settings.ts";
import type { ChainHead } from "../chain-head.ts";
import type { SealedRecord } from "../chain.ts";
import type { AuditClock } from "../clock.ts";
import {
  BATCH_BYTES_MAX,
  BATCH_RECORDS_MAX,
  RETRY_DELAY_MS_MAX,
  RETRY_DELAY_MS_MIN,
} from "../limits.ts";
import type { AuditFile, AuditFileSystem } from "./audit-file-system.ts";
import { fileName, trailFiles } from "./file-names.ts";

export interface FileSinkOptions {
  readonly directory: string;
  readonly sync: AuditSyncPolicy;
  readonly fileBytes: number;
  readonly keepFiles: number;
}

export interface FileSinkEvents {
  /** Writing or syncing failed; told for the first failure of a row. */
  failed(error: Error): void;
  recovered(): void;
  /** A file was given up because it is not what was written: removed, replaced or cut from outside. */
  tampered(name: string): void;
  /** The oldest file made room. */
  removed(name: string): void;
}

interface OpenFile {
  readonly handle: AuditFile;
  readonly name: string;
  sizeBytes: number;
  /** A sync of it failed. Another one could say yes although what the first should have kept is gone. */
  isSuspect: boolean;
}

export class FileSink {
  readonly #fileSystem: AuditFileSystem;
  readonly #clock: AuditClock;
  readonly #options: FileSinkOptions;
  readonly #events: FileSinkEvents;
  readonly #queue: SealedRecord[] = [];
  #queuedBytes = 0;
  #file: OpenFile | null = null;
  /** The next record begins a file. */
  #wantsNewFile = false;
  #written: ChainHead | null = null;
  #durable: ChainHead | null = null;
  #failure: Error | null = null;
  #failures = 0;
  #records = 0;
  /** Work on the file, one thing after the other. */
  #work: Promise<void> = Promise.resolve();
  #syncing: Promise<void> | null = null;
  #pumping = false;
  #closing = false;
  #retry: (() => void) | null = null;

  constructor(
    parts: { readonly fileSystem: AuditFileSystem; readonly clock: AuditClock },
    options: FileSinkOptions,
    events: FileSinkEvents,
  ) {
    this.#fileSystem = parts.fileSystem;
    this.#clock = parts.clock;
    this.#options = options;
    this.#events = events;
  }

  /** Goes on at the end of a file of the process before. */
  async resume(
    file: { readonly name: string; readonly sizeBytes: number },
    head: ChainHead,
  ): Promise<void> {
    const handle = await this.#fileSystem.open(
      `${this.#options.directory}/${file.name}`,
      "readWrite",
    );
    this.#file = { handle, ...file, isSuspect: false };
    this.#written = head;
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  get queuedRecords(): number {
    return this.#queue.length;
  }

  /** Records written since the start. */
  get records(): number {
    return this.#records;
  }

  /** Failed writes and syncs since the start. */
  get failures(): number {
    return this.#failures;
  }

  /** Why nothing is written now, or null. */
  get failure(): Error | null {
    return this.#failure;
  }

  /** The newest record that a power cut can not take away, as far as the disk keeps its word. */
  get durable(): ChainHead | null {
    return this.#durable;
  }

  enqueue(record: SealedRecord): void {
    this.#queue.push(record);
    this.#queuedBytes += record.line.length;
    this.#pump();
  }

  /**
   * Makes what is written durable and looks whether the file is still in its place. Resolves also when that failed. While
   * one goes on, a further call waits for it: on a disk that hangs they would pile up.
   */
  sync(): Promise<void> {
    this.#syncing ??= this.#exclusive(() => this.#syncAndCheck()).finally(() => {
      this.#syncing = null;
    });
    return this.#syncing;
  }

  async #syncAndCheck(): Promise<void> {
    const file = this.#file;
    if (file === null) return;
    try {
      await this.#syncFile(file);
      await this.#checkFile(file);
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  /** Writes what is queued, unless that takes longer than `timeoutMs`; resolves with the records that were left. */
  async close(timeoutMs: number): Promise<number> {
    this.#closing = true;
    const timeIsUp = Promise.withResolvers<void>();
    const cancel = this.#clock.after(timeoutMs, timeIsUp.resolve);
    this.#retry?.();
    await Promise.race([this.#drained(), timeIsUp.promise]);
    cancel();
    const left = this.#queue.length;
    this.#queue.length = 0;
    this.#retry?.();
    await Promise.race([this.#closeFile(), timeIsUp.promise]);
    return left;
  }

  async #drained(): Promise<void> {
    while (this.#queue.length > 0 && this.#pumping) await this.#exclusive(() => Promise.resolve());
  }

  #closeFile(): Promise<void> {
    return this.#exclusive(async () => {
      const file = this.#file;
      this.#file = null;
      if (file === null) return;
      try {
        await this.#syncFile(file);
      } catch (error) {
        this.#fail(error as Error);
      }
      await file.handle.close();
    });
  }

  #exclusive(work: () => Promise<void>): Promise<void> {
    const done = this.#work.then(work);
    // The caller gets the error; who comes next only waits for the end.
    this.#work = done.catch(() => undefined);
    return done;
  }

  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    void this.#drain();
  }

  async #drain(): Promise<void> {
    let delayMs = RETRY_DELAY_MS_MIN;
    while (this.#queue.length > 0) {
      try {
        await this.#exclusive(() => this.#writeBatch());
        this.#succeed();
        delayMs = RETRY_DELAY_MS_MIN;
      } catch (error) {
        this.#fail(error as Error);
        if (this.#closing) break;
        await this.#pause(delayMs);
        delayMs = Math.min(delayMs * 2, RETRY_DELAY_MS_MAX);
      }
    }
    // In the same step as the look at the queue: a record that comes later must find that nobody writes.
    this.#pumping = false;
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#clock.after(delayMs, resolve);
      this.#retry = () => {
        cancel();
        resolve();
      };
    });
  }

  async #writeBatch(): Promise<void> {
    const first = this.#queue[0];
    if (first === undefined) return;
    const file = await this.#fileFor(first);
    const count = this.#fitting(file.sizeBytes);
    const batch = this.#queue.slice(0, count);
    const bytes = Buffer.concat(batch.map(({ line }) => line));
    await file.handle.write(bytes, file.sizeBytes);
    file.sizeBytes += bytes.length;
    this.#queue.splice(0, count);
    this.#queuedBytes -= bytes.length;
    this.#records += count;
    const last = batch.at(-1)!;
    this.#written = { sequence: last.record.sequence, hash: last.hash };
    if (this.#options.sync === "always") await this.#syncFile(file);
  }

  /** How many records of the queue go into one write: at least one, and no more than the file has room for. */
  #fitting(sizeBytes: number): number {
    let bytes = 0;
    let count = 0;
    for (const { line } of this.#queue) {
      const isFull = bytes + line.length > BATCH_BYTES_MAX || count === BATCH_RECORDS_MAX;
      if (count > 0 && (isFull || sizeBytes + bytes + line.length > this.#options.fileBytes)) break;
      bytes += line.length;
      count++;
    }
    return count;
  }

  async #fileFor(first: SealedRecord): Promise<OpenFile> {
    const file = this.#file;
    const hasRoom =
      file !== null &&
      (file.sizeBytes === 0 || file.sizeBytes + first.line.length <= this.#options.fileBytes);
    if (file !== null && hasRoom && !this.#wantsNewFile) return file;
    if (file !== null) await this.#leave(file);
    const next = await this.#open(first.record.sequence);
    this.#file = next;
    this.#wantsNewFile = false;
    await this.#retain();
    return next;
  }

  async #leave(file: OpenFile): Promise<void> {
    this.#file = null;
    try {
      await this.#syncFile(file);
    } catch (error) {
      this.#fail(error as Error);
    } finally {
      await file.handle.close();
    }
  }

  async #open(sequence: number): Promise<OpenFile> {
    const { directory } = this.#options;
    const name = fileName(sequence);
    let handle: AuditFile;
    try {
      handle = await this.#fileSystem.open(`${directory}/${name}`, "create");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      handle = await this.#openEmpty(`${directory}/${name}`);
    }
    try {
      await this.#fileSystem.syncDirectory(directory);
    } catch (error) {
      await handle.close();
      throw error;
    }
    return { handle, name, sizeBytes: 0, isSuspect: false };
  }

  /** Made by an attempt that failed after that, or put there by somebody else: then it is not empty. */
  async #openEmpty(path: string): Promise<AuditFile> {
    const handle = await this.#fileSystem.open(path, "readWrite");
    const size = await handle.sizeBytes();
    if (size === 0) return handle;
    await handle.close();
    throw new Error(`${path} is in the way: it has ${size} bytes that this node did not write`);
  }

  async #retain(): Promise<void> {
    const { directory, keepFiles } = this.#options;
    const files = trailFiles(await this.#fileSystem.list(directory));
    for (const { name } of files.slice(0, Math.max(0, files.length - keepFiles))) {
      if (name === this.#file?.name) continue;
      await this.#fileSystem.remove(`${directory}/${name}`);
      this.#events.removed(name);
    }
  }

  async #syncFile(file: OpenFile): Promise<void> {
    const written = this.#written;
    if (written === null || written.sequence === this.#durable?.sequence || file.isSuspect) return;
    try {
      await file.handle.sync();
    } catch (error) {
      // What the kernel still has of this file after a failed sync is not defined: the next records get another one.
      file.isSuspect = true;
      this.#wantsNewFile = true;
      throw error;
    }
    this.#durable = written;
  }

  async #checkFile(file: OpenFile): Promise<void> {
    if (this.#wantsNewFile) return;
    // While a write fails there may be more bytes than counted; fewer are never ours.
    const isWhole = (await file.handle.sizeBytes()) >= file.sizeBytes;
    if (isWhole && (await file.handle.isInPlace())) return;
    this.#wantsNewFile = true;
    this.#events.tampered(file.name);
  }

  #fail(error: Error): void {
    this.#failures++;
    const isFirst = this.#failure === null;
    this.#failure = error;
    if (isFirst) this.#events.failed(error);
  }

  #succeed(): void {
    if (this.#failure === null) return;
    this.#failure = null;
    this.#events.recovered();
  }
}
