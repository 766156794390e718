/** The segment that is being written: appends records and keeps the chain of sequences and checksums. */
import type { FileHandle } from "./file-system.ts";
import type { RecordBuilder } from "./record-builder.ts";
import { finishRecord, sealExtentBytes } from "./record-format.ts";
import type { FileEnvelope, FileKey } from "./file-envelope.ts";
import type { RandomBytes } from "./random-bytes.ts";
import { RecordSealer } from "./record-cipher.ts";
import { encodeSegmentHeader, segmentHeaderBytes } from "./segment-format.ts";
import type { SegmentHeader } from "./segment-format.ts";

/** Where a segment's writing stands. */
export interface SegmentEnd {
  readonly number: number;
  readonly sizeBytes: number;
  readonly salt: number;
  readonly endBytes: number;
  /** Of the last record, in this segment or before it. */
  readonly sequence: number;
  /** Header checksum of that record; 0 when there is none. */
  readonly previousChecksum: number;
  /** Null: the segment is not encrypted. */
  readonly key: FileKey | null;
}

/** What a new segment needs besides its header. */
export interface Beginning {
  /** Header checksum of the last record before it; 0 when there is none. */
  readonly previousChecksum: number;
  /** Null: it is not encrypted. */
  readonly envelope: FileEnvelope | null;
  readonly randomBytes: RandomBytes;
}

export class ActiveSegment {
  readonly number: number;
  readonly sizeBytes: number;
  readonly #handle: FileHandle;
  readonly #salt: number;
  readonly #key: FileKey | null;
  readonly #sealer: RecordSealer | null;
  #endBytes: number;
  #sequence: number;
  #previousChecksum: number;

  /** `handle` is owned by the segment from now on. Each opening draws its own salt (record-cipher.ts). */
  constructor(handle: FileHandle, end: SegmentEnd, randomBytes: RandomBytes) {
    this.#handle = handle;
    this.number = end.number;
    this.sizeBytes = end.sizeBytes;
    this.#salt = end.salt;
    this.#key = end.key;
    this.#sealer = end.key === null ? null : new RecordSealer(end.key, randomBytes);
    this.#endBytes = end.endBytes;
    this.#sequence = end.sequence;
    this.#previousChecksum = end.previousChecksum;
  }

  /** Writes the header of a reserved file, durably: from here on the segment is part of the log. */
  static begin(handle: FileHandle, header: SegmentHeader, beginning: Beginning): ActiveSegment {
    const { envelope, previousChecksum } = beginning;
    handle.write(encodeSegmentHeader(header, envelope), 0);
    handle.sync();
    const end: SegmentEnd = {
      number: header.number,
      sizeBytes: header.sizeBytes,
      salt: header.salt,
      endBytes: segmentHeaderBytes,
      sequence: header.firstSequence - 1,
      previousChecksum,
      key: envelope?.key ?? null,
    };
    return new ActiveSegment(handle, end, beginning.randomBytes);
  }

  get end(): SegmentEnd {
    return {
      number: this.number,
      sizeBytes: this.sizeBytes,
      salt: this.#salt,
      endBytes: this.#endBytes,
      sequence: this.#sequence,
      previousChecksum: this.#previousChecksum,
      key: this.#key,
    };
  }

  get isEncrypted(): boolean {
    return this.#key !== null;
  }

  get endBytes(): number {
    return this.#endBytes;
  }

  /** Whether a record fits before the place of the seal. */
  fits(builder: RecordBuilder): boolean {
    const extentBytes = builder.extentBytes(this.isEncrypted);
    return this.#endBytes + extentBytes + sealExtentBytes <= this.sizeBytes;
  }

  /** Writes one record and makes it durable. An error is final. */
  write(builder: RecordBuilder): void {
    const place = {
      sequence: this.#sequence + 1,
      segmentNumber: this.number,
      position: this.#endBytes,
      previousChecksum: this.#previousChecksum,
      salt: this.#salt,
    };
    const record = builder.finish(place, this.#sealer);
    this.#append(record.bytes, record.checksum);
  }

  /** Says that the log goes on in the next segment, whose header is durable by now, and closes the file. */
  seal(): void {
    const bytes = new Uint8Array(sealExtentBytes);
    const fields = {
      seal: true,
      sequence: this.#sequence + 1,
      firstIndex: 0,
      entryCount: 0,
      bodyBytes: 0,
      hardStateBytes: 0,
      segmentNumber: this.number,
      position: this.#endBytes,
      previousChecksum: this.#previousChecksum,
      salt: this.#salt,
    };
    const checksum = finishRecord(bytes, fields, this.#sealer);
    this.#append(bytes, checksum);
    this.close();
  }

  close(): void {
    this.#handle.close();
  }

  #append(bytes: Uint8Array, checksum: number): void {
    this.#handle.write(bytes, this.#endBytes);
    this.#handle.sync();
    this.#endBytes += bytes.length;
    this.#sequence += 1;
    this.#previousChecksum = checksum;
  }
}
