/**
 * Records of failures in bounded memory. Somebody who may choose keys (any user name, many addresses) must not be able
 * to push out what is held against them: records that delay nobody yet go first, as long as there are many, and among
 * those that do the one whose last use is longest ago. Making a record that delays takes as many failures as being
 * delayed does.
 */
import { newThrottleRecord } from "./throttle-record.ts";
import type { ThrottleRecord } from "./throttle-record.ts";

/** A quarter of the table. */
const HARMLESS_SHARE_DIVISOR = 4;

export class ThrottleTable {
  readonly #entriesMax: number;
  readonly #freeFailures: number;
  /** Both in the order of their last use, oldest first. */
  readonly #harmless = new Map<string, ThrottleRecord>();
  readonly #delayed = new Map<string, ThrottleRecord>();

  constructor(entriesMax: number, freeFailures: number) {
    this.#entriesMax = entriesMax;
    this.#freeFailures = freeFailures;
  }

  get size(): number {
    return this.#harmless.size + this.#delayed.size;
  }

  /** Keys whose next attempt may have to wait. */
  get delayedCount(): number {
    return this.#delayed.size;
  }

  find(key: string): ThrottleRecord | undefined {
    return this.#delayed.get(key) ?? this.#harmless.get(key);
  }

  /** The record of a key, made when there is none. */
  obtain(key: string): ThrottleRecord {
    const record = this.find(key) ?? newThrottleRecord();
    this.settle(key, record);
    return record;
  }

  /** To be called after a record was used or has changed: puts it where it belongs, or drops it when it says nothing. */
  settle(key: string, record: ThrottleRecord): void {
    this.#harmless.delete(key);
    this.#delayed.delete(key);
    const isDelayed = record.failures > this.#freeFailures;
    (isDelayed ? this.#delayed : this.#harmless).set(key, record);
    while (this.size > this.#entriesMax) this.#evict();
  }

  drop(key: string): void {
    this.#harmless.delete(key);
    this.#delayed.delete(key);
  }

  clear(): void {
    this.#harmless.clear();
    this.#delayed.clear();
  }

  #evict(): void {
    // Harmless ones keep a share, or a table full of delays would remember nothing new.
    const share = Math.ceil(this.#entriesMax / HARMLESS_SHARE_DIVISOR);
    const from = this.#harmless.size > share ? this.#harmless : this.#delayed;
    const oldest = from.keys().next();
    if (oldest.done === true) this.#harmless.clear();
    else from.delete(oldest.value);
  }
}
