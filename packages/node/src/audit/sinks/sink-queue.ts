/**
 * The queue in front of one receiver: bounded, in order, tried again with growing pauses. A receiver that is slow or gone
 * costs its own records and nothing else. What was sent and not confirmed is sent again: records may arrive twice (their
 * `id` tells), but none is left out without being counted.
 */
import type { SealedRecord } from "../chain.ts";
import type { AuditClock } from "../clock.ts";
import {
  BATCH_BYTES_MAX,
  BATCH_RECORDS_MAX,
  RETRY_DELAY_MS_MAX,
  RETRY_DELAY_MS_MIN,
} from "../limits.ts";
import { BatchRefused, type Receiver } from "./sink.ts";

export interface SinkCounters {
  delivered: number;
  /** Deliveries that failed and were or will be tried again. */
  failures: number;
  /** Records that this receiver will never get. */
  dropped: number;
}

export class SinkQueue {
  readonly counters: SinkCounters = { delivered: 0, failures: 0, dropped: 0 };
  readonly #receiver: Receiver;
  readonly #clock: AuditClock;
  readonly #bytesMax: number;
  readonly #queue: SealedRecord[] = [];
  #queuedBytes = 0;
  #untoldDrops = 0;
  #failure: Error | null = null;
  #isRunning = false;
  #closing = false;
  #wake: (() => void) | null = null;
  #idle: PromiseWithResolvers<void> = Promise.withResolvers<void>();

  constructor(receiver: Receiver, clock: AuditClock, bytesMax: number) {
    this.#receiver = receiver;
    this.#clock = clock;
    this.#bytesMax = bytesMax;
    this.#idle.resolve();
  }

  get name(): string {
    return this.#receiver.name;
  }

  get queuedRecords(): number {
    return this.#queue.length;
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Why the last delivery failed, until one succeeds. */
  get failure(): Error | null {
    return this.#failure;
  }

  enqueue(record: SealedRecord): void {
    if (this.#closing || this.#queuedBytes + record.line.length > this.#bytesMax) {
      this.#drop(1);
      return;
    }
    this.#queue.push(record);
    this.#queuedBytes += record.line.length;
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#idle = Promise.withResolvers<void>();
    void this.#run();
  }

  /** Drops nobody was told of, once the receiver takes records again; then they count as told. */
  takeDrops(): number {
    if (this.#untoldDrops === 0 || this.#failure !== null) return 0;
    if (this.#queuedBytes > this.#bytesMax / 2) return 0;
    const drops = this.#untoldDrops;
    this.#untoldDrops = 0;
    return drops;
  }

  /** Delivers what is queued, unless that fails or takes longer than `timeoutMs`; the rest counts as dropped. */
  async close(timeoutMs: number): Promise<void> {
    this.#closing = true;
    const timeIsUp = Promise.withResolvers<void>();
    const cancel = this.#clock.after(timeoutMs, timeIsUp.resolve);
    this.#wake?.();
    await Promise.race([this.#idle.promise, timeIsUp.promise]);
    cancel();
    this.#drop(this.#queue.splice(0).length);
    this.#queuedBytes = 0;
    await this.#receiver.close();
  }

  async #run(): Promise<void> {
    let delayMs = RETRY_DELAY_MS_MIN;
    let countMax = BATCH_RECORDS_MAX;
    while (this.#queue.length > 0) {
      const batch = this.#batch(countMax);
      try {
        const rejected = await this.#receiver.deliver(batch);
        this.#failure = null;
        this.counters.delivered += batch.length - rejected;
        this.#drop(rejected);
        this.#remove(batch.length);
        delayMs = RETRY_DELAY_MS_MIN;
        countMax = BATCH_RECORDS_MAX;
      } catch (error) {
        this.#failure = error as Error;
        this.counters.failures++;
        if (error instanceof BatchRefused) {
          countMax = this.#halve(batch.length);
          continue;
        }
        if (this.#closing) break;
        await this.#pause(delayMs);
        delayMs = Math.min(delayMs * 2, RETRY_DELAY_MS_MAX);
      }
    }
    this.#isRunning = false;
    this.#idle.resolve();
  }

  /** One record in a batch may be what is wrong: it is found by halves and left out, the others arrive. */
  #halve(count: number): number {
    if (count > 1) return Math.ceil(count / 2);
    this.#remove(1);
    this.#drop(1);
    return BATCH_RECORDS_MAX;
  }

  #batch(countMax: number): SealedRecord[] {
    let bytes = 0;
    let count = 0;
    for (const { line } of this.#queue) {
      if (count === countMax || (count > 0 && bytes + line.length > BATCH_BYTES_MAX)) break;
      bytes += line.length;
      count++;
    }
    return this.#queue.slice(0, count);
  }

  #remove(count: number): void {
    for (const { line } of this.#queue.splice(0, count)) this.#queuedBytes -= line.length;
  }

  #drop(count: number): void {
    this.counters.dropped += count;
    this.#untoldDrops += count;
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#clock.after(delayMs, resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
  }
}
