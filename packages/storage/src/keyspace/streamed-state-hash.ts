/**
 * The hash of a keyspace as of one moment, made in slices while writes go on (R32): a snapshot whose records go into a hash
 * instead of a file. It is the value that `Keyspace.stateHash` had at that moment.
 */
import type { KeyspaceSnapshot, SnapshotBytes } from "./api.ts";
import { LaneHash } from "./lane-hash.ts";
import {
  KIND_END,
  KIND_ENTRY,
  KIND_ENTRY_WITH_EXPIRY,
  OFFSET_EXPIRY,
  OFFSET_KEY_LENGTH,
  OFFSET_TYPE,
  OFFSET_VALUE_LENGTH,
  RECORD_HEADER_BYTES,
  RECORD_HEADER_BYTES_MAX,
  START_BYTES,
} from "./snapshot-format.ts";

/** A hash being made. Only one walk (of a snapshot or a hash) may run on a keyspace at a time. */
export interface KeyspaceHashWalk {
  /** Makes one slice. True when it is done. */
  step(budget: { readonly slots: number; readonly bytes: number }): boolean;
  /** 32 hex digits, once it is done. */
  hex(): string;
  cancel(): void;
}

/** Begins to hash the state of now, in slices. Throws SNAPSHOT_RUNNING while another walk is under way. */
export function beginStateHash(keyspace: { beginSnapshot(): KeyspaceSnapshot }): KeyspaceHashWalk {
  return new StreamedStateHash(keyspace.beginSnapshot());
}

class StreamedStateHash implements KeyspaceHashWalk {
  readonly #walk: KeyspaceSnapshot;
  readonly #records: RecordHash = new RecordHash();

  constructor(walk: KeyspaceSnapshot) {
    this.#walk = walk;
  }

  step(budget: { readonly slots: number; readonly bytes: number }): boolean {
    this.#records.length = 0;
    return this.#walk.step(this.#records, budget);
  }

  hex(): string {
    return this.#records.hex();
  }

  cancel(): void {
    this.#walk.cancel();
  }
}

/** Takes a snapshot's bytes, cut anywhere, apart into records and adds their hashes. */
class RecordHash implements SnapshotBytes {
  /** Of the slice. */
  length = 0;
  readonly #hash: LaneHash = new LaneHash();
  readonly #header: Buffer = Buffer.alloc(Math.max(START_BYTES, RECORD_HEADER_BYTES_MAX));
  #headerLength = 0;
  #headerNeeded = START_BYTES;
  #isStart = true;
  /** Bytes of the record that are still to come. */
  #keyLeft = 0;
  #valueLeft = 0;
  /** Bytes of a word that is not full yet. */
  #word = 0;
  #wordShift = 0;

  append(source: Uint8Array, start: number, end: number): void {
    this.length += end - start;
    let at = start;
    while (at < end) {
      if (this.#keyLeft > 0) {
        at = this.#takeKey(source, at, end);
      } else if (this.#valueLeft > 0) {
        at = this.#takeValue(source, at, end);
      } else {
        this.#takeHeaderByte(source[at]);
        at += 1;
      }
    }
  }

  hex(): string {
    return this.#hash.hex();
  }

  #takeHeaderByte(byte: number): void {
    this.#header[this.#headerLength] = byte;
    this.#headerLength += 1;
    if (this.#headerLength === 1 && !this.#isStart) {
      this.#headerNeeded = headerBytesOf(byte);
    }
    if (this.#headerLength < this.#headerNeeded) {
      return;
    }
    if (!this.#isStart && this.#header[0] !== KIND_END) {
      this.#beginRecord();
    }
    this.#isStart = false;
    this.#headerLength = 0;
    this.#headerNeeded = RECORD_HEADER_BYTES;
  }

  #beginRecord(): void {
    const header = this.#header;
    this.#keyLeft = header.readUInt32LE(OFFSET_KEY_LENGTH);
    this.#valueLeft = header.readUInt32LE(OFFSET_VALUE_LENGTH);
    const expireAtMs =
      header[0] === KIND_ENTRY_WITH_EXPIRY ? header.readDoubleLE(OFFSET_EXPIRY) : 0;
    this.#hash.begin(header[OFFSET_TYPE], this.#keyLeft, this.#valueLeft, expireAtMs);
    if (this.#keyLeft === 0) {
      this.#endKey();
    }
  }

  #takeKey(source: Uint8Array, at: number, end: number): number {
    const to = Math.min(end, at + this.#keyLeft);
    this.#absorb(source, at, to);
    this.#keyLeft -= to - at;
    if (this.#keyLeft === 0) {
      this.#endKey();
    }
    return to;
  }

  #takeValue(source: Uint8Array, at: number, end: number): number {
    const to = Math.min(end, at + this.#valueLeft);
    this.#absorb(source, at, to);
    this.#valueLeft -= to - at;
    if (this.#valueLeft === 0) {
      this.#endRecord();
    }
    return to;
  }

  #endKey(): void {
    this.#endRange();
    if (this.#valueLeft === 0) {
      this.#endRecord();
    }
  }

  #endRecord(): void {
    this.#endRange();
    this.#hash.finish();
  }

  /** The last word of a range, with what there is of it. */
  #endRange(): void {
    this.#hash.absorb(this.#word);
    this.#word = 0;
    this.#wordShift = 0;
  }

  #absorb(source: Uint8Array, start: number, end: number): void {
    for (let at = start; at < end; at += 1) {
      this.#word |= source[at] << this.#wordShift;
      this.#wordShift += 8;
      if (this.#wordShift === 32) {
        this.#hash.absorb(this.#word);
        this.#word = 0;
        this.#wordShift = 0;
      }
    }
  }
}

function headerBytesOf(kind: number): number {
  if (kind === KIND_END) {
    return 1;
  }
  return kind === KIND_ENTRY ? RECORD_HEADER_BYTES : RECORD_HEADER_BYTES_MAX;
}
