/**
 * A snapshot being taken, without fork and without stopping writes.
 *
 * It walks the index in hash order. At any time the entries of the moment of its beginning are in exactly one of three
 * places: already written (hash below `#position`), saved by a write that came first (in `#images`), or still in the
 * store, unchanged, with an epoch older than the snapshot's. Whoever changes, moves or removes an entry asks `mustSave`
 * before; saving stamps the entry with the snapshot's epoch, new entries are born with it, and the walk leaves out what
 * carries it. The walk stamps what it writes too, so that after a whole walk all entries carry the same epoch and 16
 * bits are enough.
 */
import type { KeyspaceSnapshot, SnapshotBytes } from "./api.ts";
import { assertInvariant, KeyspaceError } from "./errors.ts";
import { HASH_END } from "./hash.ts";
import { SavedImages } from "./saved-images.ts";
import {
  FORMAT_VERSION,
  KIND_END,
  KIND_ENTRY,
  KIND_ENTRY_WITH_EXPIRY,
  MAGIC_BYTES,
  OFFSET_COUNT_HIGH,
  OFFSET_COUNT_LOW,
  OFFSET_EXPIRY,
  OFFSET_KEY_LENGTH,
  OFFSET_TYPE,
  OFFSET_VALUE_LENGTH,
  RECORD_HEADER_BYTES,
  RECORD_HEADER_BYTES_MAX,
  START_BYTES,
} from "./snapshot-format.ts";
import type { Store } from "./store.ts";

export interface SnapshotWriterOptions {
  readonly store: Store;
  /** Not the epoch of any entry there is. */
  readonly epoch: number;
  /** Called once, when it is done or cancelled. */
  readonly onEnd: (outcome: "done" | "cancelled") => void;
}

export class SnapshotWriter implements KeyspaceSnapshot {
  readonly store: Store;
  readonly #epoch: number;
  readonly #onEnd: (outcome: "done" | "cancelled") => void;
  readonly #entryCount: number;
  #recordCount = 0;
  /** Entries with a hash below are written. */
  #position = 0;
  readonly #images: SavedImages = new SavedImages();
  readonly #header: Buffer = Buffer.alloc(RECORD_HEADER_BYTES_MAX);
  #state: "running" | "done" | "cancelled" = "running";

  constructor(options: SnapshotWriterOptions) {
    this.store = options.store;
    this.#epoch = options.epoch;
    this.#onEnd = options.onEnd;
    this.#entryCount = options.store.index.size;
    this.#queueStart();
  }

  /** Bytes of old images that are not written yet. */
  get pendingBytes(): number {
    return this.#images.bytes;
  }

  /** Whether an entry of `store` that is about to change has to be saved first. */
  mustSave(store: Store, ref: number, hash: number): boolean {
    return (
      hash >= this.#position && store === this.store && store.entries.epoch(ref) !== this.#epoch
    );
  }

  /** Keeps an entry as it is now. Only after `mustSave`. */
  save(ref: number): void {
    this.#queueRecord(ref);
    this.store.entries.setEpoch(ref, this.#epoch);
  }

  /** Whether a value's own Buffer is still to be written and must not be changed in place. */
  holds(buffer: Buffer): boolean {
    return this.#images.holds(buffer);
  }

  step(out: SnapshotBytes, budget: { readonly slots: number; readonly bytes: number }): boolean {
    if (this.#state === "cancelled") {
      throw new KeyspaceError("SNAPSHOT_CANCELLED", "the snapshot was cancelled");
    }
    if (this.#state === "done") {
      return true;
    }
    if (!this.#images.drain(out, budget.bytes)) {
      return false;
    }
    this.#position = this.store.index.walk(this.#position, budget.slots, (ref) => {
      this.#visit(ref, out);
      return this.#images.isEmpty && out.length < budget.bytes;
    });
    if (!this.#images.drain(out, budget.bytes) || this.#position < HASH_END) {
      return false;
    }
    assertInvariant(this.#recordCount === this.#entryCount, "a snapshot misses or repeats entries");
    this.#header[0] = KIND_END;
    out.append(this.#header, 0, 1);
    this.#end("done");
    return true;
  }

  cancel(): void {
    if (this.#state === "running") {
      this.#images.drop();
      this.#end("cancelled");
    }
  }

  #end(outcome: "done" | "cancelled"): void {
    this.#state = outcome;
    this.#onEnd(outcome);
  }

  #visit(ref: number, out: SnapshotBytes): void {
    const entries = this.store.entries;
    if (entries.epoch(ref) === this.#epoch) {
      return;
    }
    entries.setEpoch(ref, this.#epoch);
    if (entries.isWide(ref) || !this.#images.isEmpty) {
      this.#queueRecord(ref);
      return;
    }
    this.#recordCount += 1;
    out.append(this.#header, 0, this.#encodeHeader(ref));
    const start = entries.keyStart(ref);
    // In a narrow entry the value follows the key.
    const end = start + entries.keyLength(ref) + entries.valueLength(ref);
    out.append(entries.keyBuffer(ref), start, end);
  }

  #queueRecord(ref: number): void {
    const entries = this.store.entries;
    this.#recordCount += 1;
    this.#images.copy(this.#header, 0, this.#encodeHeader(ref));
    const keyStart = entries.keyStart(ref);
    const keyEnd = keyStart + entries.keyLength(ref);
    if (!entries.isWide(ref)) {
      this.#images.copy(entries.keyBuffer(ref), keyStart, keyEnd + entries.valueLength(ref));
      return;
    }
    this.#images.copy(entries.keyBuffer(ref), keyStart, keyEnd);
    this.#images.hold(entries.valueBuffer(ref), entries.valueLength(ref));
  }

  /** Returns the length of the header, now in `#header`. */
  #encodeHeader(ref: number): number {
    const entries = this.store.entries;
    const header = this.#header;
    const expireAtMs = entries.expireAtMs(ref);
    header[OFFSET_TYPE] = entries.typeByte(ref);
    header.writeUInt32LE(entries.keyLength(ref), OFFSET_KEY_LENGTH);
    header.writeUInt32LE(entries.valueLength(ref), OFFSET_VALUE_LENGTH);
    if (expireAtMs === 0) {
      header[0] = KIND_ENTRY;
      return RECORD_HEADER_BYTES;
    }
    header[0] = KIND_ENTRY_WITH_EXPIRY;
    header.writeDoubleLE(expireAtMs, OFFSET_EXPIRY);
    return RECORD_HEADER_BYTES_MAX;
  }

  #queueStart(): void {
    const start = Buffer.alloc(START_BYTES);
    start.set(MAGIC_BYTES);
    start[MAGIC_BYTES.length] = FORMAT_VERSION;
    start.writeUInt32LE(this.#entryCount >>> 0, OFFSET_COUNT_LOW);
    start.writeUInt32LE(Math.floor(this.#entryCount / 2 ** 32), OFFSET_COUNT_HIGH);
    this.#images.copy(start, 0, START_BYTES);
  }
}
