/**
 * Collects entries and a hard state that become durable together as one record: entries' bytes are copied once, behind
 * room for the header, and written from here.
 */
import type { HardState, Index, Term } from "@ferrite/raft";
import { encodeHardState, hardStateBytesMax } from "./hard-state-codec.ts";
import type { RecordSealer } from "./record-cipher.ts";
import {
  finishRecord,
  recordExtentBytes,
  recordHeaderBytes,
  storedBodyBytes,
} from "./record-format.ts";
import type { RecordFields } from "./record-format.ts";

const bufferBytesInitial: number = 256 * 1024;
/** A larger buffer is not kept once its record was written. */
const bufferBytesKept: number = 8 * 1024 * 1024;
/** Behind the body: tag, padding, end mark. */
const tailBytesMax = 128;

/** What of a record's header only the log knows. */
export type RecordPlace = Pick<
  RecordFields,
  "sequence" | "segmentNumber" | "position" | "previousChecksum" | "salt"
>;

export class RecordBuilder {
  #buffer: Uint8Array = new Uint8Array(bufferBytesInitial);
  #entryBytes = 0;
  #firstIndex: Index = 0;
  #entryCount = 0;
  #lastTerm: Term = 0;
  #hardState: HardState | null;
  #hardStateBytes: Uint8Array;
  #hardStateChanged = false;

  /** `hardState`: the one in force, which every record repeats. */
  constructor(hardState: HardState | null) {
    this.#hardState = hardState;
    this.#hardStateBytes = encodeHardState(hardState);
  }

  /** Whether there is anything to be made durable. */
  get hasContent(): boolean {
    return this.#entryCount > 0 || this.#hardStateChanged;
  }

  get hardState(): HardState | null {
    return this.#hardState;
  }

  /** Throws `limitExceeded` when the vote's id is too long; then nothing was changed. */
  setHardState(hardState: HardState): void {
    this.#hardStateBytes = encodeHardState(hardState);
    this.#hardState = hardState;
    this.#hardStateChanged = true;
  }

  /** Index of the first entry; 0 while there is none. */
  get firstIndex(): Index {
    return this.#firstIndex;
  }

  get entryCount(): number {
    return this.#entryCount;
  }

  get lastTerm(): Term {
    return this.#lastTerm;
  }

  get entryBytes(): number {
    return this.#entryBytes;
  }

  /** Whether entries from `index` on continue what is here. */
  continuesAt(index: Index): boolean {
    return this.#entryCount === 0 || index === this.#firstIndex + this.#entryCount;
  }

  /** Makes room for `sizeBytes` more bytes of entries; `entriesAt` says where they go in the returned buffer. */
  reserve(sizeBytes: number): Uint8Array {
    const needed =
      recordHeaderBytes + this.#entryBytes + sizeBytes + hardStateBytesMax + tailBytesMax;
    if (needed > this.#buffer.length) {
      const larger = new Uint8Array(Math.max(needed, this.#buffer.length * 2));
      larger.set(this.#buffer.subarray(0, recordHeaderBytes + this.#entryBytes));
      this.#buffer = larger;
    }
    return this.#buffer;
  }

  get entriesAt(): number {
    return recordHeaderBytes + this.#entryBytes;
  }

  /** Takes over `sizeBytes` bytes that were put at `entriesAt`. */
  add(entries: {
    readonly firstIndex: Index;
    readonly count: number;
    readonly lastTerm: Term;
    readonly sizeBytes: number;
  }): void {
    if (this.#entryCount === 0) {
      this.#firstIndex = entries.firstIndex;
    }
    this.#entryCount += entries.count;
    this.#entryBytes += entries.sizeBytes;
    this.#lastTerm = entries.lastTerm;
  }

  /** The bytes the record will take in the file. */
  extentBytes(isEncrypted: boolean): number {
    const bodyBytes = this.#entryBytes + this.#hardStateBytes.length;
    return recordExtentBytes(storedBodyBytes(bodyBytes, isEncrypted));
  }

  /**
   * The whole record, ready to be written, and its header checksum. Valid until `clear`. With a `sealer` what was
   * collected is replaced by its ciphertext: only once, and whatever fails after it is final.
   */
  finish(
    place: RecordPlace,
    sealer: RecordSealer | null,
  ): { readonly bytes: Uint8Array; readonly checksum: number } {
    const buffer = this.reserve(0);
    buffer.set(this.#hardStateBytes, this.entriesAt);
    const bytes = buffer.subarray(0, this.extentBytes(sealer !== null));
    const fields = {
      ...place,
      seal: false,
      firstIndex: this.#firstIndex,
      entryCount: this.#entryCount,
      bodyBytes: this.#entryBytes + this.#hardStateBytes.length,
      hardStateBytes: this.#hardStateBytes.length,
    };
    return { bytes, checksum: finishRecord(bytes, fields, sealer) };
  }

  clear(): void {
    this.#entryBytes = 0;
    this.#firstIndex = 0;
    this.#entryCount = 0;
    this.#hardStateChanged = false;
    if (this.#buffer.length > bufferBytesKept) {
      this.#buffer = new Uint8Array(bufferBytesInitial);
    }
  }
}
