/**
 * The log of a simulated node: the real segmented log on the virtual disk, with the worker thread's behaviour played
 * by events: writes are gathered while one is under way, and become durable together, in order, some time later. On a
 * full disk they wait, in order, and are tried again.
 */
import type { Entry } from "@ferrite/raft";
import {
  StorageError,
  type AtRestKeys,
  type KeyedLogWriter,
  type LogWrite,
  type LogWriterEvents,
  type SegmentedLog,
} from "@ferrite/storage";
import type { Prng } from "./prng.ts";
import type { Scheduler } from "./scheduler.ts";
import type { VirtualDisk } from "./virtual-disk.ts";

export interface DiskSpeed {
  /** One write with its sync. */
  readonly syncMs: { readonly low: number; readonly high: number };
  /** One step of a snapshot that is written or read. */
  readonly stepMs: number;
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

interface Task {
  /** Hands it to the log, when its turn comes. */
  readonly take: () => void;
  /** Makes it durable; the log's own `sync` when null. */
  readonly finish: (() => void) | null;
  readonly done: () => void;
}

/** As the production writer. */
const SPACE_RETRY_MS = 200;
/** A write that takes longer is looked at this often. */
const SLICE_MS = 100;

export class VirtualLogWriter implements KeyedLogWriter {
  readonly #log: SegmentedLog;
  readonly #disk: VirtualDisk;
  readonly #scheduler: Pick<Scheduler, "after">;
  readonly #prng: Prng;
  readonly #speed: DiskSpeed;
  readonly #observer: LogObserver;
  readonly #canary: LogCanary;
  readonly #events: LogWriterEvents;
  #queue: Task[] = [];
  #busy = false;
  #closing = false;
  #dead = false;
  #full = false;
  #compactIndex = 0;
  #retryPlanned = false;
  /** Of rolls that the log was asked for. */
  #rolls: (() => void)[] = [];

  constructor(options: {
    readonly log: SegmentedLog;
    readonly disk: VirtualDisk;
    readonly scheduler: Pick<Scheduler, "after">;
    readonly prng: Prng;
    readonly speed: DiskSpeed;
    readonly observer: LogObserver;
    readonly canary: LogCanary;
    readonly events: LogWriterEvents;
  }) {
    this.#log = options.log;
    this.#disk = options.disk;
    this.#scheduler = options.scheduler;
    this.#prng = options.prng;
    this.#speed = options.speed;
    this.#observer = options.observer;
    this.#canary = options.canary;
    this.#events = options.events;
  }

  submit(write: LogWrite, onDurable: () => void): void {
    this.#observer.logWritten(write.entries);
    const hardState =
      this.#canary.loseVote && write.hardState !== null
        ? { ...write.hardState, vote: null }
        : write.hardState;
    const take = (): void => this.#log.append({ hardState, entries: write.entries });
    if (this.#canary.ackBeforeSync) {
      this.#enqueue({ take, finish: null, done: () => {} });
      this.#scheduler.after(0, () => {
        if (!this.#dead) onDurable();
      });
      return;
    }
    this.#enqueue({ take, finish: null, done: onDurable });
  }

  compact(index: number): void {
    this.#compactIndex = Math.max(this.#compactIndex, index);
    if (!this.#closing) this.#enqueue({ take: () => {}, finish: null, done: () => {} });
  }

  reset(position: { readonly index: number; readonly term: number }, onDurable: () => void): void {
    this.#observer.logReset(position.index);
    this.#enqueue({ take: () => {}, finish: () => this.#log.reset(position), done: onDurable });
  }

  useKeys(keys: AtRestKeys): void {
    this.#enqueue({ take: () => this.#log.useKeys(keys), finish: null, done: () => {} });
  }

  roll(onRolled: () => void): void {
    const take = (): void => {
      this.#log.roll();
      this.#rolls.push(onRolled);
    };
    this.#enqueue({ take, finish: null, done: () => {} });
  }

  close(onClosed: () => void): void {
    this.#enqueue({ take: () => {}, finish: null, done: onClosed });
    this.#closing = true;
  }

  /** The process ends: nothing it planned happens any more. What it wrote is in the system's memory. */
  end(): void {
    this.#dead = true;
    this.#queue = [];
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
    this.end();
  }

  #enqueue(task: Task): void {
    if (this.#closing) throw new StorageError("closed", "The log was used after close");
    this.#queue.push(task);
    if (!this.#busy) this.#begin();
  }

  /** Takes all that waits up to the first that is more than a write (group commit): durable after the disk's time. */
  #begin(): void {
    const barrier = this.#queue.findIndex((task) => task.finish !== null);
    const count = barrier < 0 ? this.#queue.length : Math.max(1, barrier);
    const group = this.#queue.splice(0, count);
    if (group.length === 0 || this.#dead) return;
    this.#busy = true;
    const { low, high } = this.#speed.syncMs;
    const workMs = low + this.#prng.next() * (high - low);
    this.#hasRoom(() => {
      for (const task of group) task.take();
    });
    this.#workOff(group, workMs);
  }

  /** As fast as the disk is at each moment: one that was slow, or hung, may be well again in the middle of a write. */
  #workOff(group: readonly Task[], workMs: number): void {
    const { slowness } = this.#disk;
    const takesMs = workMs * slowness;
    if (takesMs <= SLICE_MS) this.#scheduler.after(takesMs, () => this.#finish(group));
    else
      this.#scheduler.after(SLICE_MS, () => {
        if (!this.#dead) this.#workOff(group, Math.max(0, workMs - SLICE_MS / slowness));
      });
  }

  #finish(group: readonly Task[]): void {
    if (this.#dead) return;
    const durable = this.#hasRoom(() => {
      this.#log.compact(this.#compactIndex);
      const [first] = group;
      if (first.finish === null) this.#log.sync();
      else first.finish();
    });
    if (this.#dead) return;
    if (!durable) {
      this.#noteSpace(true);
      this.#scheduler.after(SPACE_RETRY_MS, () => this.#finish(group));
      return;
    }
    this.#prepare();
    this.#busy = false;
    for (const task of group) {
      if (!this.#dead) task.done();
    }
    if (!this.#dead && !this.#busy) this.#begin();
  }

  /** Reserves what is due of the next segment; on a full disk again and again. */
  #prepare(): void {
    const room = this.#hasRoom(() => {
      while (this.#log.prepare()) continue;
    });
    if (this.#dead) return;
    this.#noteSpace(!room);
    if (!this.#log.isRolling) {
      for (const onRolled of this.#rolls.splice(0)) this.#scheduler.after(0, onRolled);
    }
    if (room || this.#retryPlanned) return;
    this.#retryPlanned = true;
    this.#scheduler.after(SPACE_RETRY_MS, () => {
      this.#retryPlanned = false;
      if (!this.#dead && !this.#busy) this.#prepare();
    });
  }

  #noteSpace(full: boolean): void {
    if (full === this.#full) return;
    this.#full = full;
    this.#events.onSpace(full);
  }

  /** False when there is no room on the disk; any other error ends the log. */
  #hasRoom(run: () => void): boolean {
    try {
      run();
      return true;
    } catch (error) {
      if (error instanceof StorageError && error.code === "noSpace") return false;
      this.#dead = true;
      this.#events.onFailure(error as Error);
      return false;
    }
  }
}
