/**
 * Brings every file under the newest node key, in the background, beside the traffic: those of an older key by wrapping
 * their data key anew, those that are not encrypted by a snapshot after which they go.
 *
 *   new keys, new segment -> look -> all current? -> settled
 *                             ^          no -> wrap anew what is encrypted; have the rest renewed -> wait -'
 *
 * Nothing is lost by stopping at any point: the keyring keeps every key that a file may need until all are seen to be
 * current, and the next start goes on.
 */
import type { AtRestKeys } from "@ferrite/storage";
import { isCurrent, type DiskFile, type DiskFiles } from "./disk-files.ts";

const PAUSE_MS = 200;
/** After a failure: a full disk has to be emptied by somebody first. */
const FAILURE_PAUSE_MS = 5000;

export interface RewritingEvents {
  /** What was found, each time it is looked. */
  onLooked(files: readonly DiskFile[]): void;
  /** Every file is current. What it throws is a failed step: it is called again. */
  onSettled(): void;
  /** A step failed; it is tried again. */
  onFailed(error: Error): void;
}

export class Rewriting {
  readonly #disk: DiskFiles;
  readonly #keys: () => AtRestKeys;
  readonly #events: RewritingEvents;
  #timer: NodeJS.Timeout | null = null;
  #state: "idle" | "running" | "stopped" = "idle";
  /** Of the keys that the disk is not told of yet, or whose first segment has not begun. */
  #hasNewKeys = false;

  constructor(disk: DiskFiles, keys: () => AtRestKeys, events: RewritingEvents) {
    this.#disk = disk;
    this.#keys = keys;
    this.#events = events;
  }

  /** There are new keys, or files of earlier ones: goes on until all is current. */
  begin(): void {
    if (this.#state === "stopped") return;
    this.#hasNewKeys = true;
    if (this.#state === "running") return;
    this.#state = "running";
    this.#after(0);
  }

  stop(): void {
    this.#state = "stopped";
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #after(pauseMs: number): void {
    this.#timer = setTimeout(() => {
      void this.#step();
    }, pauseMs);
    this.#timer.unref();
  }

  async #step(): Promise<void> {
    try {
      const isDone = await this.#work();
      if (this.#state !== "running") return;
      if (isDone && !this.#hasNewKeys) {
        this.#events.onSettled();
        this.#state = "idle";
      } else {
        this.#after(PAUSE_MS);
      }
    } catch (error) {
      if (this.#state !== "running") return;
      this.#events.onFailed(error as Error);
      this.#after(FAILURE_PAUSE_MS);
    }
  }

  /** Whether nothing is left to do. */
  async #work(): Promise<boolean> {
    const keys = this.#keys();
    if (this.#hasNewKeys) await this.#announce(keys);
    const hadEarlierWork = this.#disk.hasEarlierWork();
    const files = this.#disk.list();
    this.#events.onLooked(files);
    const left = files.filter((file) => !isCurrent(file, keys.current.id));
    const encrypted = left.filter((file) => file.encrypted);
    if (encrypted.length > 0) await this.#disk.rewrap(encrypted, keys);
    const plain = left.filter((file) => !file.encrypted);
    if (plain.length > 0 && this.#state === "running") this.#disk.renew(plain);
    return left.length === 0 && !hadEarlierWork;
  }

  async #announce(keys: AtRestKeys): Promise<void> {
    this.#disk.useKeys(keys);
    this.#hasNewKeys = false;
    try {
      await this.#disk.roll();
    } catch (error) {
      this.#hasNewKeys = true;
      throw error;
    }
  }
}
