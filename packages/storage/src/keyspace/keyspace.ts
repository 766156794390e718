/**
 * The keyspace: composes entries, index, expiry and snapshots. See the "Keyspace" section of DESIGN.md.
 */
import {
  ValueType,
  type ByteRange,
  type EntryRef,
  type KeyspaceApi,
  type KeyspaceOptions,
  type KeyspaceSnapshot,
} from "./api.ts";
import { isCanonicalInteger, INTEGER_TEXT_BYTES_MAX } from "./canonical-integer.ts";
import { ENCODING_RAW, type EntryFields } from "./entry-layout.ts";
import { assertInvariant, KeyspaceError } from "./errors.ts";
import { HASH_END, KeyHasher, type Hasher } from "./hash.ts";
import { checkExpiry, checkKeyLength, checkValueLength } from "./limit-checks.ts";
import { pickRandom } from "./random-pick.ts";
import { RestoreSession } from "./restore-session.ts";
import { SnapshotReader, type SnapshotRecord } from "./snapshot-reader.ts";
import { SnapshotWriter } from "./snapshot-writer.ts";
import { StateHash } from "./state-hash.ts";
import { Store } from "./store.ts";

const STRING_TYPE_BYTE = (ENCODING_RAW << 4) | ValueType.String;
const TYPE_MASK = 0x0f;
const EPOCH_MASK = 0xffff;
/** After so many cancelled snapshots in a row the oldest epochs could come round again. */
const CANCELLED_MAX = 0xfff0;
/** Passed as `expireAtMs`: keep what a living entry has. */
const KEEP_EXPIRY = -1;
const MS_PER_SECOND = 1000;

export class Keyspace implements KeyspaceApi {
  readonly #hasher: Hasher;
  #store: Store = new Store();
  #snapshot: SnapshotWriter | null = null;
  #epoch = 0;
  #cancelledInARow = 0;
  /** Filled anew for each entry that is made, so that making one allocates nothing. */
  readonly #fields: EntryFields = {
    typeByte: STRING_TYPE_BYTE,
    epoch: 0,
    clockSeconds: 0,
    expireAtMs: 0.5,
  };

  /** `hasher` is for tests that need collisions. */
  constructor(options: KeyspaceOptions, hasher: Hasher = new KeyHasher(options.hashSeed)) {
    this.#hasher = hasher;
  }

  get size(): number {
    return this.#store.index.size;
  }

  get volatileSize(): number {
    return this.#store.volatile.count;
  }

  /** Index, slabs in use, long values, expiry table; and what a running snapshot holds besides. */
  get usedBytes(): number {
    const snapshot = this.#snapshot;
    const own = this.#store.usedBytes;
    if (snapshot === null) {
      return own;
    }
    const frozen = snapshot.store === this.#store ? 0 : snapshot.store.usedBytes;
    return own + frozen + snapshot.pendingBytes;
  }

  /** Bytes of chunks taken from the system for entries, used or not (allocator overhead in INFO memory). */
  get reservedBytes(): number {
    return this.#store.entries.arena.reservedBytes;
  }

  find(buffer: Uint8Array, start: number, end: number, nowMs: number): EntryRef {
    const store = this.#store;
    const ref = store.index.find(this.#hasher.hash(buffer, start, end), buffer, start, end);
    return ref !== 0 && store.entries.isExpired(ref, nowMs) ? 0 : ref;
  }

  type(ref: EntryRef): ValueType {
    const type = this.#store.entries.typeByte(ref) & TYPE_MASK;
    assertInvariant(type === ValueType.String, "an entry has an unknown type");
    return type;
  }

  expireAtMs(ref: EntryRef): number {
    return this.#store.entries.expireAtMs(ref);
  }

  /** 0 for an entry that came from a snapshot and was not touched since: it was never idle here. */
  idleSeconds(ref: EntryRef, nowMs: number): number {
    const clockSeconds = this.#store.entries.clockSeconds(ref);
    const idle = (toClock(nowMs) - clockSeconds) | 0;
    return clockSeconds === 0 || idle < 0 ? 0 : idle;
  }

  touch(ref: EntryRef, nowMs: number): void {
    this.#store.entries.setClockSeconds(ref, toClock(nowMs));
  }

  keyLength(ref: EntryRef): number {
    return this.#store.entries.keyLength(ref);
  }

  keyBuffer(ref: EntryRef): Buffer {
    return this.#store.entries.keyBuffer(ref);
  }

  keyStart(ref: EntryRef): number {
    return this.#store.entries.keyStart(ref);
  }

  valueLength(ref: EntryRef): number {
    return this.#store.entries.valueLength(ref);
  }

  valueBuffer(ref: EntryRef): Buffer {
    return this.#store.entries.valueBuffer(ref);
  }

  valueStart(ref: EntryRef): number {
    return this.#store.entries.valueStart(ref);
  }

  isInteger(ref: EntryRef): boolean {
    const entries = this.#store.entries;
    const length = entries.valueLength(ref);
    if (length > INTEGER_TEXT_BYTES_MAX) {
      return false;
    }
    const start = entries.valueStart(ref);
    return isCanonicalInteger(entries.valueBuffer(ref), start, start + length);
  }

  /** The block and own Buffers of the entry, and its share of the index. */
  entryBytes(ref: EntryRef): number {
    const store = this.#store;
    return store.entries.entryBytes(ref) + Math.round(store.index.usedBytes / store.index.size);
  }

  setString(
    key: ByteRange,
    value: ByteRange,
    options: { readonly expireAtMs: number; readonly nowMs: number },
  ): EntryRef {
    const { expireAtMs, nowMs } = options;
    return this.#set(
      key.buffer,
      key.start,
      key.end,
      value.buffer,
      value.start,
      value.end,
      expireAtMs,
      nowMs,
    );
  }

  // eslint-disable-next-line max-params -- the hot path of the contract: no objects.
  setStringFast(
    buffer: Uint8Array,
    keyStart: number,
    keyEnd: number,
    valueStart: number,
    valueEnd: number,
    expireAtMs: number,
    nowMs: number,
  ): EntryRef {
    return this.#set(buffer, keyStart, keyEnd, buffer, valueStart, valueEnd, expireAtMs, nowMs);
  }

  resizeString(ref: EntryRef, length: number): EntryRef {
    checkValueLength(length);
    const store = this.#store;
    const entries = store.entries;
    const oldLength = entries.valueLength(ref);
    const hash = this.#hashOf(ref);
    this.#preserve(ref, hash);
    const mayWriteBuffer =
      this.#snapshot === null || !this.#snapshot.holds(entries.valueBuffer(ref));
    const moved = entries.resizeValue(ref, length, mayWriteBuffer);
    if (moved !== ref) {
      store.index.replace(hash, ref, moved);
      if (entries.hasExpiry(moved)) {
        store.volatile.set(entries.volatilePlace(moved), moved, entries.expireAtMs(moved));
      }
    }
    if (length > oldLength) {
      const start = entries.valueStart(moved);
      entries.valueBuffer(moved).fill(0, start + oldLength, start + length);
    }
    return moved;
  }

  setExpireAt(ref: EntryRef, expireAtMs: number): EntryRef {
    checkExpiry(expireAtMs);
    const store = this.#store;
    const entries = store.entries;
    const hadExpiry = entries.hasExpiry(ref);
    if (!hadExpiry && expireAtMs === 0) {
      return ref;
    }
    const hash = this.#hashOf(ref);
    this.#preserve(ref, hash);
    if (hadExpiry && expireAtMs === 0) {
      store.volatile.remove(entries.volatilePlace(ref));
    }
    const moved = entries.changeExpiry(ref, expireAtMs);
    if (moved !== ref) {
      store.index.replace(hash, ref, moved);
    }
    if (hadExpiry && expireAtMs !== 0) {
      store.volatile.set(entries.volatilePlace(moved), moved, expireAtMs);
    } else if (expireAtMs !== 0) {
      store.volatile.add(moved, expireAtMs);
    }
    return moved;
  }

  remove(buffer: Uint8Array, start: number, end: number, nowMs: number): boolean {
    const store = this.#store;
    const hash = this.#hasher.hash(buffer, start, end);
    const ref = store.index.find(hash, buffer, start, end);
    if (ref === 0) {
      return false;
    }
    const lived = !store.entries.isExpired(ref, nowMs);
    this.#preserve(ref, hash);
    store.index.remove(hash, ref);
    this.#discard(ref);
    return lived;
  }

  copyTo(ref: EntryRef, to: ByteRange, nowMs: number): EntryRef {
    checkKeyLength(to.end - to.start);
    const store = this.#store;
    const entries = store.entries;
    const hash = this.#hasher.hash(to.buffer, to.start, to.end);
    const replaced = store.index.find(hash, to.buffer, to.start, to.end);
    if (replaced === ref) {
      return ref;
    }
    const fields = this.#fields;
    fields.typeByte = entries.typeByte(ref);
    const valueStart = entries.valueStart(ref);
    const valueEnd = valueStart + entries.valueLength(ref);
    const made = this.#make(
      to.buffer,
      to.start,
      to.end,
      valueEnd - valueStart,
      entries.expireAtMs(ref),
      nowMs,
    );
    fields.typeByte = STRING_TYPE_BYTE;
    entries.writeValue(made, entries.valueBuffer(ref), valueStart, valueEnd);
    this.#putInPlace(hash, replaced, made);
    return made;
  }

  clear(): void {
    // A running snapshot goes on with the old store.
    this.#store = new Store();
  }

  scan(cursor: bigint, count: number, nowMs: number, visit: (ref: EntryRef) => void): bigint {
    if (cursor < 0n || cursor >= BigInt(HASH_END)) {
      return 0n;
    }
    const { index, entries } = this.#store;
    let left = count;
    // Expired entries count: the work of a call stays bounded, and so does what a replica may see differently.
    const next = index.walk(Number(cursor), Infinity, (ref) => {
      if (!entries.isExpired(ref, nowMs)) {
        visit(ref);
      }
      left -= 1;
      return left > 0;
    });
    return next === HASH_END ? 0n : BigInt(next);
  }

  forEach(nowMs: number, visit: (ref: EntryRef) => void): void {
    const { index, entries } = this.#store;
    index.walk(0, Infinity, (ref) => {
      if (!entries.isExpired(ref, nowMs)) {
        visit(ref);
      }
      return true;
    });
  }

  randomKey(random: () => number, nowMs: number): EntryRef {
    const { index, entries } = this.#store;
    return pickRandom(index, random, (ref) => !entries.isExpired(ref, nowMs));
  }

  collectExpired(
    nowMs: number,
    budget: { readonly limit: number; readonly examineMax: number },
    visit: (ref: EntryRef) => void,
  ): void {
    this.#store.volatile.collectExpired(nowMs, budget, visit);
  }

  averageTtlMs(nowMs: number): number {
    return this.#store.volatile.averageTtlMs(nowMs);
  }

  beginSnapshot(): KeyspaceSnapshot {
    if (this.#snapshot !== null) {
      throw new KeyspaceError("SNAPSHOT_RUNNING", "a snapshot of the keyspace is being taken");
    }
    if (this.#cancelledInARow >= CANCELLED_MAX) {
      this.#stampAll();
    }
    this.#epoch = (this.#epoch + 1) & EPOCH_MASK;
    this.#snapshot = new SnapshotWriter({
      store: this.#store,
      epoch: this.#epoch,
      onEnd: (outcome) => {
        this.#snapshot = null;
        this.#cancelledInARow = outcome === "done" ? 0 : this.#cancelledInARow + 1;
      },
    });
    return this.#snapshot;
  }

  /** Whether a snapshot or a hash is being made: another can not begin. */
  get isWalked(): boolean {
    return this.#snapshot !== null;
  }

  restore(): { write(bytes: Uint8Array): void; end(): void } {
    if (this.size > 0 || this.#snapshot !== null) {
      throw new KeyspaceError("RESTORE_NOT_EMPTY", "only an empty keyspace can be restored");
    }
    const reader = new SnapshotReader({
      onStart: (entryCount) => this.#store.index.expect(entryCount),
      onEnd: () => this.#store.index.expect(0),
      onRecord: (record) => this.#addRestored(record),
      isKnownType: (typeByte) => typeByte === STRING_TYPE_BYTE,
    });
    return new RestoreSession(reader, () => this.clear());
  }

  stateHash(): string {
    const { index, entries } = this.#store;
    const hash = new StateHash();
    index.walk(0, Infinity, (ref) => {
      hash.add(entries, ref);
      return true;
    });
    return hash.hex();
  }

  /**
   * Throws a `KeyspaceError` (INVARIANT) when the index, the arena, the expiry table or the accounting contradict each
   * other. Looks at everything: for tests and drills.
   */
  checkInvariants(): void {
    this.#store.checkInvariants((ref) => this.#hashOf(ref));
  }

  #hashOf(ref: EntryRef): number {
    const entries = this.#store.entries;
    const start = entries.keyStart(ref);
    return this.#hasher.hash(entries.keyBuffer(ref), start, start + entries.keyLength(ref));
  }

  // eslint-disable-next-line max-params -- on the hot path: no objects.
  #set(
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
    expireAtMs: number,
    nowMs: number,
  ): EntryRef {
    const store = this.#store;
    const entries = store.entries;
    const valueLength = valueEnd - valueStart;
    const hash = this.#hasher.hash(key, keyStart, keyEnd);
    const old = store.index.find(hash, key, keyStart, keyEnd);
    let expiry = expireAtMs;
    if (expiry === KEEP_EXPIRY) {
      expiry = old === 0 || entries.isExpired(old, nowMs) ? 0 : entries.expireAtMs(old);
    }
    if (expiry !== 0) {
      checkExpiry(expiry);
    }
    if (old !== 0) {
      this.#preserve(old, hash);
      const sameShape = entries.hasExpiry(old) === (expiry !== 0);
      if (sameShape && entries.tryReplaceNarrow(old, valueLength)) {
        entries.setClockSeconds(old, toClock(nowMs));
        if (expiry !== 0) {
          entries.setExpireAtMs(old, expiry);
          store.volatile.set(entries.volatilePlace(old), old, expiry);
        }
        entries.writeValue(old, value, valueStart, valueEnd);
        return old;
      }
    }
    checkKeyLength(keyEnd - keyStart);
    checkValueLength(valueLength);
    const made = this.#make(key, keyStart, keyEnd, valueLength, expiry, nowMs);
    entries.writeValue(made, value, valueStart, valueEnd);
    if (old === 0) {
      store.index.insert(hash, made);
    } else {
      store.index.replace(hash, old, made);
      this.#discard(old);
    }
    return made;
  }

  /** Makes an entry that is not in the index yet; its value is still undefined. */
  #make(
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    valueLength: number,
    expireAtMs: number,
    nowMs: number,
  ): EntryRef {
    const fields = this.#fields;
    fields.epoch = this.#epoch;
    fields.clockSeconds = toClock(nowMs);
    fields.expireAtMs = expireAtMs;
    const made = this.#store.entries.create(fields, key, keyStart, keyEnd, valueLength);
    if (expireAtMs !== 0) {
      this.#store.volatile.add(made, expireAtMs);
    }
    return made;
  }

  /** Puts a new entry into the index, in the place of `replaced` unless that is 0. */
  #putInPlace(hash: number, replaced: EntryRef, made: EntryRef): void {
    const index = this.#store.index;
    if (replaced === 0) {
      index.insert(hash, made);
      return;
    }
    this.#preserve(replaced, hash);
    index.replace(hash, replaced, made);
    this.#discard(replaced);
  }

  /** Frees an entry that is no longer in the index. */
  #discard(ref: EntryRef): void {
    const { entries, volatile } = this.#store;
    if (entries.hasExpiry(ref)) {
      volatile.remove(entries.volatilePlace(ref));
    }
    entries.destroy(ref);
  }

  /** To be called before an entry changes, moves or goes: a running snapshot may need it as it is. */
  #preserve(ref: EntryRef, hash: number): void {
    const snapshot = this.#snapshot;
    if (snapshot !== null && snapshot.mustSave(this.#store, ref, hash)) {
      snapshot.save(ref);
    }
  }

  #addRestored(record: SnapshotRecord): boolean {
    const { buffer, keyStart, keyEnd, valueEnd } = record;
    const { index, entries } = this.#store;
    const hash = this.#hasher.hash(buffer, keyStart, keyEnd);
    if (index.find(hash, buffer, keyStart, keyEnd) !== 0) {
      return false;
    }
    const made = this.#make(buffer, keyStart, keyEnd, valueEnd - keyEnd, record.expireAtMs, 0);
    entries.writeValue(made, buffer, keyEnd, valueEnd);
    index.insert(hash, made);
    return true;
  }

  #stampAll(): void {
    const { index, entries } = this.#store;
    index.walk(0, Infinity, (ref) => {
      entries.setEpoch(ref, this.#epoch);
      return true;
    });
    this.#cancelledInARow = 0;
  }
}

/** Unix seconds, modulo 2^32. */
function toClock(nowMs: number): number {
  return Math.floor(nowMs / MS_PER_SECOND) >>> 0;
}
