/**
 * What the log's worker thread does: take everything that waits in the ring, make it durable with one write and one
 * fdatasync (group commit), say so, again. It blocks in system calls and in `Atomics.wait` only: no event loop, no
 * thread pool, nobody to queue behind.
 */
import type { AtRestKeys } from "./at-rest-keys.ts";
import { StorageError } from "./errors.ts";
import { readU64 } from "./little-endian.ts";
import { MessageKind } from "./log-ring.ts";
import type { LogRing } from "./log-ring.ts";
import type { SegmentedLog } from "./segmented-log.ts";
import { appendFromBytes } from "./write-codec.ts";

/** How long it waits before it tries again to reserve space on a full disk. */
export const spaceRetryMs = 200;

/** How the loop talks to the main thread. */
export interface LoopSignals {
  /** Messages became done since the main thread looked last. */
  done(): void;
  space(full: boolean): void;
  /** The bytes of the oldest large write. */
  takeLargeWrite(): Uint8Array;
  /** The keys that were sent first and not taken yet. */
  takeKeys(): AtRestKeys;
  /** The first `count` rolls that were asked for are carried out. */
  rolled(count: number): void;
  nowMs(): number;
}

interface Position {
  readonly index: number;
  readonly term: number;
}

export class LogWorkerLoop {
  readonly #log: SegmentedLog;
  readonly #ring: LogRing;
  readonly #signals: LoopSignals;
  /** Messages taken from the ring, and those of them that are carried out durably. */
  #taken = 0;
  #done = 0;
  #compactedIndex = 0;
  #reset: Position | null = null;
  /** Rolls that were asked for, and those that were told to be done. */
  #rollsAsked = 0;
  #rollsDone = 0;
  #closing = false;
  #full = false;
  /** While the disk is full: not before this time is space asked for again. */
  #retryAtMs = 0;
  /** Writes that were taken wait for space. */
  #blocked = false;

  constructor(log: SegmentedLog, ring: LogRing, signals: LoopSignals) {
    this.#log = log;
    this.#ring = ring;
    this.#signals = signals;
  }

  /** Runs until it is told to close. Throws what stopped the log. */
  run(): void {
    while (!this.#closing || this.#done < this.#taken) {
      const seen = this.#ring.wakeCount();
      const mayTry = !this.#full || this.#signals.nowMs() >= this.#retryAtMs;
      let short = false;
      if (!this.#blocked) {
        this.#take();
      }
      if (mayTry || !this.#blocked) {
        short = !this.#carryOut();
      }
      this.#compact();
      if (mayTry && !short) {
        short = !this.#prepare();
        this.#noteRolls();
      }
      this.#noteSpace(mayTry, short);
      if (short && this.#ring.closeRequested()) {
        // There is no room for what was submitted last: it was never acknowledged, and nobody waits for it any more.
        break;
      }
      // A roll goes on without writes; on a full disk it waits as they do.
      const isRolling = this.#log.isRolling && !this.#full;
      const isIdle = (this.#blocked || this.#ring.isEmpty()) && !isRolling;
      if (!this.#closing && isIdle && this.#ring.wakeCount() === seen) {
        this.#ring.sleep(seen, this.#full ? this.#untilRetryMs() : Infinity);
      }
    }
    this.#log.close();
  }

  /** Takes messages up to the first that has to wait for those before it. */
  #take(): void {
    while (this.#reset === null && !this.#closing) {
      const message = this.#ring.peek();
      if (message === null) {
        return;
      }
      this.#takeOne(message.kind, message.payload);
      this.#ring.release(message.payload.length);
      this.#taken += 1;
    }
  }

  #takeOne(kind: MessageKind, payload: Uint8Array): void {
    switch (kind) {
      case MessageKind.write:
        appendFromBytes(this.#log, payload);
        return;
      case MessageKind.largeWrite:
        appendFromBytes(this.#log, this.#signals.takeLargeWrite());
        return;
      case MessageKind.reset:
        this.#reset = { index: readU64(payload, 0), term: readU64(payload, 8) };
        return;
      case MessageKind.useKeys:
        this.#log.useKeys(this.#signals.takeKeys());
        return;
      case MessageKind.roll:
        this.#rollsAsked += 1;
        this.#log.roll();
        return;
      case MessageKind.close:
        this.#closing = true;
        return;
      case MessageKind.skip:
        return;
    }
  }

  /** Makes what was taken durable. False when there is no room for it. */
  #carryOut(): boolean {
    if (this.#done === this.#taken) {
      return true;
    }
    this.#blocked = !this.#hasRoom(() => {
      this.#log.sync();
      if (this.#reset !== null) {
        this.#log.reset(this.#reset);
        this.#reset = null;
      }
    });
    if (this.#blocked) {
      return false;
    }
    this.#done = this.#taken;
    if (this.#ring.announceDone(this.#done)) {
      this.#signals.done();
    }
    return true;
  }

  #compact(): void {
    const index = this.#ring.compactionIndex();
    if (index > this.#compactedIndex) {
      this.#compactedIndex = index;
      this.#log.compact(index);
      // What was removed may be the room that was missing.
      this.#retryAtMs = 0;
    }
  }

  /** Reserves some of the next segment. False when there is no room. */
  #prepare(): boolean {
    return this.#hasRoom(() => {
      this.#log.prepare();
    });
  }

  /** A roll is over when the next segment has begun, whatever made it begin. */
  #noteRolls(): void {
    if (this.#rollsDone < this.#rollsAsked && !this.#log.isRolling) {
      this.#rollsDone = this.#rollsAsked;
      this.#signals.rolled(this.#rollsDone);
    }
  }

  #hasRoom(action: () => void): boolean {
    try {
      action();
      return true;
    } catch (error) {
      if (error instanceof StorageError && error.code === "noSpace") {
        return false;
      }
      throw error;
    }
  }

  #noteSpace(tried: boolean, short: boolean): void {
    if (short) {
      this.#retryAtMs = this.#signals.nowMs() + spaceRetryMs;
    }
    const full = short || (this.#full && !tried);
    if (full !== this.#full) {
      this.#full = full;
      this.#signals.space(full);
    }
  }

  #untilRetryMs(): number {
    return Math.max(1, this.#retryAtMs - this.#signals.nowMs());
  }
}
