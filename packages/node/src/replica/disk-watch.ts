/**
 * Whether the disk still answers (R50). A disk that hangs does not fail: heartbeats go on, and a leader would keep an
 * office in which it can promise nothing any more. The watch stands between the replica and its log, knows how long the
 * oldest write has been waiting, and says when that is too long and when it is over.
 *
 * Time is counted by ticks, each of them worth no more than `tickMsMax`: after a pause of the whole process (SIGSTOP, a
 * machine that sleeps) the answers of the disk are there and only not looked at yet; that must not look like a stall.
 */
import type { Index, Term } from "@ferrite/raft";
import type { LogWrite, LogWriter } from "@ferrite/storage";

export interface DiskWatchOptions {
  /** A write that waits longer than this is a stall. */
  readonly stallTimeoutMs: number;
  /** What one tick counts for at most. */
  readonly tickMsMax: number;
  /** The time now. Its steps may be long or short, but never negative. */
  monotonicMs(): number;
}

/** What the edge may know about the disk's answers. */
export interface DiskAnswers {
  /** How long the oldest unfinished write has been waiting, once that is a stall; else null. */
  readonly stalledMs: number | null;
  /** Stalls since the start, one that goes on included. */
  readonly stalls: number;
}

export class DiskWatch implements LogWriter {
  readonly #log: LogWriter;
  readonly #options: DiskWatchOptions;
  /** When each write on its way was handed over, oldest first, by the watch's own time. */
  readonly #handedOver: number[] = [];
  #ownMs = 0;
  #lastTickMs: number;
  #isFull = false;
  #isStalled = false;
  #stalls = 0;

  constructor(log: LogWriter, options: DiskWatchOptions) {
    this.#log = log;
    this.#options = options;
    this.#lastTickMs = options.monotonicMs();
  }

  submit(write: LogWrite, onDurable: () => void): void {
    this.#handedOver.push(this.#ownMs);
    this.#log.submit(write, () => {
      this.#handedOver.shift();
      onDurable();
    });
  }

  reset(position: { readonly index: Index; readonly term: Term }, onDurable: () => void): void {
    this.#handedOver.push(this.#ownMs);
    this.#log.reset(position, () => {
      this.#handedOver.shift();
      onDurable();
    });
  }

  compact(index: Index): void {
    this.#log.compact(index);
  }

  close(onClosed: () => void): void {
    this.#log.close(onClosed);
  }

  /** A full disk answers: writes wait for room, not for the device (full-disk-office.ts). */
  diskFull(full: boolean): void {
    this.#isFull = full;
    if (!full) this.#handedOver.fill(this.#ownMs);
  }

  /** Time has passed. Says what has changed: a stall has begun or ended. */
  tick(): "begun" | "ended" | null {
    const nowMs = this.#options.monotonicMs();
    this.#ownMs += Math.min(nowMs - this.#lastTickMs, this.#options.tickMsMax);
    this.#lastTickMs = nowMs;
    const isStalled = this.#waitedMs() > this.#options.stallTimeoutMs;
    if (isStalled === this.#isStalled) return null;
    this.#isStalled = isStalled;
    if (!isStalled) return "ended";
    this.#stalls++;
    return "begun";
  }

  get isStalled(): boolean {
    return this.#isStalled;
  }

  get answers(): DiskAnswers {
    return { stalledMs: this.#isStalled ? this.#waitedMs() : null, stalls: this.#stalls };
  }

  /** Of the oldest unfinished write; 0 when nothing waits. */
  #waitedMs(): number {
    const oldestMs = this.#handedOver[0];
    return oldestMs === undefined || this.#isFull ? 0 : this.#ownMs - oldestMs;
  }
}
