/**
 * The keyspace: bytes to values, in memory, without clock or randomness of its own. All keys are byte ranges of the
 * caller's buffer, so that a command never turns a key into a string.
 *
 * Time: every call that has to know whether a key still lives takes `nowMs`. In apply it is the entry's time, in
 * reads the node's view of the leader's clock. Reads never remove anything; removal of what has expired happens in
 * apply only (on access by a write, or by a leader's expiry entry), so that all nodes hold the same bytes.
 */

/** A found entry. Valid until the next call that changes the keyspace. 0 means "not there". */
export type EntryRef = number;

export const ValueType = { String: 0 } as const;
export type ValueType = (typeof ValueType)[keyof typeof ValueType];

/** A range of bytes, e.g. one argument of a command. */
export interface ByteRange {
  readonly buffer: Uint8Array;
  readonly start: number;
  readonly end: number;
}

export interface KeyspaceOptions {
  /** Seeds the hash (against chosen-collision attacks); the same on all nodes of a cluster, so that cursors mean the same. */
  readonly hashSeed: number;
}

/** A snapshot being taken: call `step` between other work until it says it is done. */
export interface KeyspaceSnapshot {
  /** Appends records to `out` until about `budgetEntries` index slots were visited or `out` has `budgetBytes`. True when done. */
  step(out: SnapshotBytes, budget: { readonly slots: number; readonly bytes: number }): boolean;
  /** Ends it early; saved old images are dropped. */
  cancel(): void;
}

/** Where a snapshot's records go. */
export interface SnapshotBytes {
  /** Copies the bytes. */
  append(buffer: Uint8Array, start: number, end: number): void;
  readonly length: number;
}

export interface KeyspaceApi {
  /** Keys, those that have expired but are not removed yet included (as Redis' DBSIZE). */
  readonly size: number;
  /** Keys with an expiry. */
  readonly volatileSize: number;
  /** Bytes held for keys, values, index and bookkeeping: what INFO calls used_memory_dataset. */
  readonly usedBytes: number;

  /** The living entry, or 0. */
  find(buffer: Uint8Array, start: number, end: number, nowMs: number): EntryRef;
  type(ref: EntryRef): ValueType;
  /** Unix time in ms, 0 when it does not expire. */
  expireAtMs(ref: EntryRef): number;
  /** Seconds since it was last read or written, by the node's own access clock (`touch`); not replicated. */
  idleSeconds(ref: EntryRef, nowMs: number): number;
  touch(ref: EntryRef, nowMs: number): void;

  keyLength(ref: EntryRef): number;
  /** Where the key's bytes are: `keyBuffer(ref).subarray(keyStart(ref), keyStart(ref) + keyLength(ref))`. */
  keyBuffer(ref: EntryRef): Uint8Array;
  keyStart(ref: EntryRef): number;
  valueLength(ref: EntryRef): number;
  valueBuffer(ref: EntryRef): Uint8Array;
  valueStart(ref: EntryRef): number;
  /** Whether the value is the canonical form of a 64-bit integer (OBJECT ENCODING int). */
  isInteger(ref: EntryRef): boolean;
  /** Bytes this entry takes (MEMORY USAGE, OBJECT). */
  entryBytes(ref: EntryRef): number;

  /**
   * Sets a string. `expireAtMs`: 0 = no expiry, -1 = keep what a living entry has, else Unix ms. The value is copied
   * and must not be a range of this keyspace's own memory unless it belongs to the entry of the same key.
   */
  setString(
    key: ByteRange,
    value: ByteRange,
    options: { readonly expireAtMs: number; readonly nowMs: number },
  ): EntryRef;
  /** `setString` without objects, for the hot path. */
  setStringFast(
    buffer: Uint8Array,
    keyStart: number,
    keyEnd: number,
    valueStart: number,
    valueEnd: number,
    expireAtMs: number,
    nowMs: number,
  ): EntryRef;
  /**
   * Makes the string of `ref` `length` bytes long and returns the entry (it may have moved): old bytes are kept up to
   * the smaller length, new ones are zero. The caller then writes in place with `valueBuffer`/`valueStart`
   * (APPEND, SETRANGE, SETBIT). Must be called before any in-place write, also for the same length: a running
   * snapshot saves the old image here.
   */
  resizeString(ref: EntryRef, length: number): EntryRef;
  /** 0 removes the expiry. May move the entry. */
  setExpireAt(ref: EntryRef, expireAtMs: number): EntryRef;
  /** Removes; true when a living key was there. */
  remove(buffer: Uint8Array, start: number, end: number, nowMs: number): boolean;
  /** Copies or moves the value and expiry of `ref` to the key `to`, replacing what is there. */
  copyTo(ref: EntryRef, to: ByteRange, nowMs: number): EntryRef;
  clear(): void;

  /**
   * Visits some living keys and returns the next cursor, "0" at the end: Redis' guarantee (every key that is there from
   * start to end is visited at least once, also while the index grows). Cursors are unsigned integers as decimal strings up to 2^64-1.
   */
  scan(cursor: bigint, count: number, nowMs: number, visit: (ref: EntryRef) => void): bigint;
  /** Visits every living key (KEYS). */
  forEach(nowMs: number, visit: (ref: EntryRef) => void): void;
  /** A living key picked by `random` in [0, 1), or 0 when there is none. */
  randomKey(random: () => number, nowMs: number): EntryRef;
  /** Visits up to `limit` keys that have expired at `nowMs`, in rotation, looking at no more than `examineMax` entries. */
  collectExpired(
    nowMs: number,
    budget: { readonly limit: number; readonly examineMax: number },
    visit: (ref: EntryRef) => void,
  ): void;
  /** Average remaining life in ms over a sample of keys with an expiry (INFO keyspace avg_ttl). */
  averageTtlMs(nowMs: number): number;

  /** Starts a snapshot of the state as it is now. One at a time; throws when one is running. */
  beginSnapshot(): KeyspaceSnapshot;
  /** Reads records written by a snapshot, in pieces cut anywhere. Only on an empty keyspace. */
  restore(): { write(bytes: Uint8Array): void; end(): void };
  /** Equal for equal contents (keys, values, expiry), whatever order or history produced them. Hex. */
  stateHash(): string;
}
