/**
 * The log of a simulated node: the real segmented log on the virtual disk, with the worker thread's behaviour played
 * by events: writes are gathered while one is under way, and become durable together, in order, some time later.
 */
import type { Entry } from "@ferrite/raft";
import type { LogWrite, LogWriter, SegmentedLog } from "@ferrite/storage";
import type { Prng } from "./prng.ts";
import type { Scheduler } from "./scheduler.ts";
import type { VirtualDisk } from "./virtual-disk.ts";

export interface DiskSpeed {
  /** One write with its sync. */
  syncMs: { readonly low: number; readonly high: number };
}

export interface LogObserver {
  /** The node handed entries to its log (they replace what is at and behind the first index). */
  logWritten(entries: readonly Entry[]): void;
  logReset(index: number): void;
}

/** Defects put in on purpose: the checks must find them. */
export interface LogCanary {
  readonly ackBeforeSync: boolean;
  readonly loseVote: boolean;
}

type Task = { readonly run: () => void; readonly done: () => void };

export class VirtualLogWriter implements LogWriter {
  readonly #log: SegmentedLog;
  readonly #disk: VirtualDisk;
  readonly #scheduler: Scheduler;
  readonly #prng: Prng;
  readonly #speed: DiskSpeed;
  readonly #observer: LogObserver;
  readonly #canary: LogCanary;
  readonly #onFailure: (error: Error) => void;
  #queue: Task[] = [];
  #busy = false;
  #dead = false;

  constructor(options: {
    readonly log: SegmentedLog;
    readonly disk: VirtualDisk;
    readonly scheduler: Scheduler;
    readonly prng: Prng;
    readonly speed: DiskSpeed;
    readonly observer: LogObserver;
    readonly canary: LogCanary;
    readonly onFailure: (error: Error) => void;
  }) {
    this.#log = options.log;
    this.#disk = options.disk;
    this.#scheduler = options.scheduler;
    this.#prng = options.prng;
    this.#speed = options.speed;
    this.#observer = options.observer;
    this.#canary = options.canary;
    this.#onFailure = options.onFailure;
  }

  submit(write: LogWrite, onDurable: () => void): void {
    this.#observer.logWritten(write.entries);
    const hardState =
      this.#canary.loseVote && write.hardState !== null
        ? { ...write.hardState, vote: null }
        : write.hardState;
    const run = (): void => this.#log.append({ hardState, entries: write.entries });
    if (this.#canary.ackBeforeSync) {
      this.#enqueue({ run, done: () => {} });
      this.#scheduler.after(0, () => {
        if (!this.#dead) onDurable();
      });
      return;
    }
    this.#enqueue({ run, done: onDurable });
  }

  compact(index: number): void {
    this.#enqueue({ run: () => this.#log.compact(index), done: () => {} });
  }

  reset(position: { readonly index: number; readonly term: number }, onDurable: () => void): void {
    this.#observer.logReset(position.index);
    this.#enqueue({ run: () => this.#log.reset(position), done: onDurable });
  }

  close(onClosed: () => void): void {
    this.#enqueue({ run: () => {}, done: onClosed });
  }

  /**
   * The node crashed: nothing it planned happens any more. A write that was under way has reached the disk's cache
   * and not its platters: the disk decides, sector by sector, what is left of it.
   */
  kill(): void {
    if (this.#busy && !this.#dead) {
      this.#disk.failNextSync = true;
      try {
        this.#log.sync();
      } catch {
        // That is the point: the power went before the sync was over.
      }
    }
    this.#dead = true;
    this.#queue = [];
  }

  #enqueue(task: Task): void {
    this.#queue.push(task);
    if (!this.#busy) this.#begin();
  }

  /** Takes all that waits (group commit): written now, durable after the disk's time. */
  #begin(): void {
    const group = this.#queue;
    this.#queue = [];
    if (group.length === 0 || this.#dead) return;
    this.#busy = true;
    const { low, high } = this.#speed.syncMs;
    const totalMs = low + this.#prng.next() * (high - low);
    this.#guarded(() => {
      for (const task of group) task.run();
    });
    this.#scheduler.after(totalMs, () => {
      if (this.#dead) return;
      this.#guarded(() => {
        this.#log.sync();
        while (this.#log.prepare()) continue;
      });
      this.#busy = false;
      for (const task of group) {
        if (!this.#dead) task.done();
      }
      if (!this.#dead && !this.#busy) this.#begin();
    });
  }

  #guarded(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#dead = true;
      this.#onFailure(error as Error);
    }
  }
}
