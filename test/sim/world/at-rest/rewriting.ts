/**
 * Brings every file of a simulated node under its newest key, in the order of production (packages/node/src/at-rest/rewriting.ts
 * and node-disk.ts), which waits with promises and threads; here every wait is an event, so that a crash falls into each of them.
 *
 *   new keys, new segment -> look -> all current? -> settled
 *                             ^          no -> wrap anew what is encrypted; have the rest renewed -> wait -'
 */
import { isCurrent, type Replica, type TrackedSnapshots } from "@ferrite/node/simulation";
import {
  atRestInventory,
  rewrapFile,
  type AtRestFile,
  type AtRestKeys,
  type FileSystem,
  type KeyedLogWriter,
  type RandomBytes,
} from "@ferrite/storage";
import type { Scheduler } from "../scheduler.ts";

export interface RewritingParts {
  readonly disk: FileSystem;
  readonly directory: string;
  readonly log: KeyedLogWriter;
  readonly snapshots: TrackedSnapshots;
  readonly replica: Replica;
  readonly randomBytes: RandomBytes;
  /** Of this life: nothing happens after its end. */
  readonly schedule: Pick<Scheduler, "after">;
  readonly keys: () => AtRestKeys;
  /** A file's key is about to be wrapped anew. */
  readonly onRewrap: () => void;
  /** Every file is current. May throw what the disk says: it is called again. */
  readonly onSettled: () => void;
  /** Of an error that is not the disk's: nothing goes on. */
  readonly onFailed: (error: Error) => void;
  readonly isDiskFault: (error: unknown) => boolean;
}

const PAUSE_MS = 200;
const FAILURE_PAUSE_MS = 5000;
/** Between two files that are wrapped anew. */
const FILE_MS = 1;
const PIECE_BYTES = 4096;

export class SimRewriting {
  readonly #parts: RewritingParts;
  #state: "idle" | "running" | "stopped" = "idle";
  #hasNewKeys = false;
  /** The last entry that may be in a segment from before the last roll. */
  #rolledAt = 0;
  /** Of the snapshot that the log was asked to begin behind. */
  #compactedAt = 0;
  #isCopying = false;

  constructor(parts: RewritingParts) {
    this.#parts = parts;
  }

  /** There are new keys, or files of earlier ones: goes on until all is current. */
  begin(): void {
    if (this.#state === "stopped") return;
    this.#hasNewKeys = true;
    if (this.#state === "running") return;
    this.#state = "running";
    this.#after(0, () => this.#step());
  }

  stop(): void {
    this.#state = "stopped";
  }

  #after(delayMs: number, run: () => void): void {
    this.#parts.schedule.after(delayMs, () => this.#guarded(run));
  }

  #guarded(run: () => void): void {
    if (this.#state !== "running") return;
    try {
      run();
    } catch (error) {
      this.#stepFailed(error as Error);
    }
  }

  #stepFailed(error: Error): void {
    if (this.#parts.isDiskFault(error)) this.#after(FAILURE_PAUSE_MS, () => this.#step());
    else this.#parts.onFailed(error);
  }

  #step(): void {
    if (!this.#hasNewKeys) {
      this.#look();
      return;
    }
    const { log, snapshots, replica } = this.#parts;
    const keys = this.#parts.keys();
    log.useKeys(keys);
    snapshots.useKeys(keys);
    this.#hasNewKeys = false;
    log.roll(() => {
      this.#guarded(() => {
        this.#rolledAt = replica.core.lastIndex();
        this.#look();
      });
    });
  }

  #look(): void {
    const keys = this.#parts.keys();
    const hadEarlierWork = this.#parts.snapshots.hasEarlier();
    const { files } = atRestInventory(this.#parts.disk, {
      logDirectory: `${this.#parts.directory}/log`,
      snapshotDirectory: this.#snapshotDirectory,
    });
    const left = files.filter((file) => !isCurrent(file, keys.current.id));
    const encrypted = left.filter((file) => file.encrypted);
    this.#rewrap(encrypted, keys, () => {
      const plain = left.filter((file) => !file.encrypted);
      if (plain.length > 0) this.#renew(plain);
      this.#looked(left.length === 0 && !hadEarlierWork);
    });
  }

  #looked(isDone: boolean): void {
    if (!isDone || this.#hasNewKeys) {
      this.#after(PAUSE_MS, () => this.#step());
      return;
    }
    this.#parts.onSettled();
    this.#state = "idle";
  }

  #rewrap(files: readonly AtRestFile[], keys: AtRestKeys, onDone: () => void): void {
    const [file, ...rest] = files;
    if (file === undefined) {
      onDone();
      return;
    }
    this.#after(FILE_MS, () => {
      this.#parts.onRewrap();
      rewrapFile(this.#parts.disk, file.path, keys, this.#parts.randomBytes);
      this.#rewrap(rest, keys, onDone);
    });
  }

  /** A snapshot behind all that is plain, after which that goes. */
  #renew(plain: readonly AtRestFile[]): void {
    const { snapshots, log, replica } = this.#parts;
    const latest = snapshots.latest();
    const { machine } = replica;
    if (latest === null || latest.index < this.#rolledAt) {
      if (machine.appliedIndex >= this.#rolledAt) replica.snapshots.takeNow();
      return;
    }
    const isSnapshot = ({ path }: AtRestFile): boolean => path.startsWith(this.#snapshotDirectory);
    if (this.#compactedAt === latest.index && !plain.every(isSnapshot)) {
      // A plain segment holds entries that were taken back, with higher indexes than the last one at the roll.
      if (machine.appliedIndex > latest.index) replica.snapshots.takeNow();
    }
    log.compact(latest.index);
    this.#compactedAt = latest.index;
    snapshots.prune(1);
    if (plain.some(isSnapshot) && !this.#isCopying) this.#copyLatest();
  }

  get #snapshotDirectory(): string {
    return `${this.#parts.directory}/snapshots`;
  }

  /** Nothing was written since the newest snapshot: it is written again in its own place, encrypted. */
  #copyLatest(): void {
    const { snapshots } = this.#parts;
    const meta = snapshots.latest()!;
    const sink = snapshots.create(meta);
    this.#isCopying = true;
    const end = (error: Error | null): void => {
      this.#isCopying = false;
      const isReplaced = snapshots.latest()?.index !== meta.index;
      if (error !== null && !isReplaced && !this.#parts.isDiskFault(error))
        this.#parts.onFailed(error);
    };
    const giveUp = (error: Error): void => {
      sink.abort();
      end(error);
    };
    const copyFrom = (offsetBytes: number): void => {
      snapshots.read(meta, { offsetBytes, lengthBytes: PIECE_BYTES }, (readError, bytes) => {
        if (readError !== null) {
          giveUp(readError);
          return;
        }
        if (bytes.length === 0) {
          sink.commit(end);
          return;
        }
        sink.write(bytes, (writeError) => {
          if (writeError === null) copyFrom(offsetBytes + bytes.length);
          else giveUp(writeError);
        });
      });
    };
    copyFrom(0);
  }
}
