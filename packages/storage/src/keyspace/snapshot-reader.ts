/**
 * Reads a snapshot that comes in pieces cut anywhere. The bytes may be damaged or hostile: everything is checked before
 * it is used, and memory is taken for what has arrived (at most twice as much), never for what is announced.
 */
import { KEY_BYTES_MAX, VALUE_BYTES_MAX } from "./entry-layout.ts";
import { KeyspaceError } from "./errors.ts";
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

/** One entry, as it was read. The bytes are only valid during the call. */
export interface SnapshotRecord {
  typeByte: number;
  /** 0 = none. */
  expireAtMs: number;
  buffer: Buffer;
  keyStart: number;
  keyEnd: number;
  valueEnd: number;
}

export interface SnapshotReaderOptions {
  /** Called first, with the number of entries it says it has; not to be trusted. */
  readonly onStart: (entryCount: number) => void;
  /** Takes an entry in; false when its key is there already. */
  readonly onRecord: (record: SnapshotRecord) => boolean;
  /** Called when all has been read. */
  readonly onEnd: () => void;
  readonly isKnownType: (typeByte: number) => boolean;
}

const PART_BYTES_MIN = 256;

export class SnapshotReader {
  readonly #options: SnapshotReaderOptions;
  readonly #record: SnapshotRecord = {
    typeByte: 0,
    expireAtMs: 0,
    buffer: Buffer.alloc(0),
    keyStart: 0,
    keyEnd: 0,
    valueEnd: 0,
  };
  #state: "start" | "header" | "content" | "end" = "start";
  /** Bytes the current state needs at once. */
  #needBytes = START_BYTES;
  /** What has arrived of them when a piece ended too early. */
  #part: Buffer = Buffer.alloc(0);
  #partBytes = 0;
  #entryCount = 0;
  #recordCount = 0;

  constructor(options: SnapshotReaderOptions) {
    this.#options = options;
  }

  /** Throws RESTORE_MALFORMED. */
  write(bytes: Uint8Array): void {
    const piece = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let at = 0;
    while (at < piece.length) {
      if (this.#state === "end") {
        throw malformed("there are bytes behind its end");
      }
      if (this.#partBytes === 0 && piece.length - at >= this.#needBytes) {
        const start = at;
        at += this.#needBytes;
        at -= this.#take(piece, start);
        continue;
      }
      at += this.#keepPart(piece, at);
      if (this.#partBytes === this.#needBytes) {
        this.#takePart();
      }
    }
  }

  /** Throws RESTORE_MALFORMED when something is missing. */
  end(): void {
    if (this.#state !== "end") {
      throw malformed("it ends too early");
    }
  }

  /** Copies what the piece has of the bytes needed, up to the need; returns how many. */
  #keepPart(piece: Buffer, at: number): number {
    const length = Math.min(this.#needBytes - this.#partBytes, piece.length - at);
    const needed = this.#partBytes + length;
    if (needed > this.#part.length) {
      const grown = Math.max(PART_BYTES_MIN, Math.min(this.#needBytes, needed * 2));
      const part = Buffer.allocUnsafeSlow(grown);
      this.#part.copy(part, 0, 0, this.#partBytes);
      this.#part = part;
    }
    piece.copy(this.#part, this.#partBytes, at, at + length);
    this.#partBytes = needed;
    return length;
  }

  #takePart(): void {
    const part = this.#part;
    const partBytes = this.#partBytes;
    const missing = this.#take(part, 0);
    // A header that turns out to be longer is kept and completed.
    this.#partBytes = missing > 0 ? partBytes : 0;
    if (this.#partBytes === 0 && part.length > PART_BYTES_MIN) {
      this.#part = Buffer.alloc(0);
    }
  }

  /**
   * Takes what the state needs from `buffer[start...]`. Returns how many of these bytes have to be given again because
   * more are needed: all, or none.
   */
  #take(buffer: Buffer, start: number): number {
    if (this.#state === "start") {
      this.#takeStart(buffer, start);
      return 0;
    }
    if (this.#state === "content") {
      this.#takeContent(buffer, start);
      return 0;
    }
    return this.#takeHeader(buffer, start);
  }

  #takeStart(buffer: Buffer, start: number): void {
    for (let place = 0; place < MAGIC_BYTES.length; place += 1) {
      if (buffer[start + place] !== MAGIC_BYTES[place]) {
        throw malformed("it does not begin as one");
      }
    }
    const version = buffer[start + MAGIC_BYTES.length];
    if (version !== FORMAT_VERSION) {
      throw malformed(`it has version ${version}, this program reads ${FORMAT_VERSION}`);
    }
    const high = buffer.readUInt32LE(start + OFFSET_COUNT_HIGH);
    this.#entryCount = high * 2 ** 32 + buffer.readUInt32LE(start + OFFSET_COUNT_LOW);
    this.#options.onStart(this.#entryCount);
    this.#expectHeader();
  }

  #expectHeader(): void {
    this.#state = "header";
    this.#needBytes = 1;
  }

  #takeHeader(buffer: Buffer, start: number): number {
    const kind = buffer[start];
    if (kind === KIND_END) {
      this.#takeEnd();
      return 0;
    }
    if (kind !== KIND_ENTRY && kind !== KIND_ENTRY_WITH_EXPIRY) {
      throw malformed(`it has a record of unknown kind ${kind}`);
    }
    const headerBytes = kind === KIND_ENTRY ? RECORD_HEADER_BYTES : RECORD_HEADER_BYTES_MAX;
    if (this.#needBytes < headerBytes) {
      const given = this.#needBytes;
      this.#needBytes = headerBytes;
      return given;
    }
    this.#takeEntryHeader(buffer, start, kind === KIND_ENTRY_WITH_EXPIRY);
    return 0;
  }

  #takeEntryHeader(buffer: Buffer, start: number, hasExpiry: boolean): void {
    const record = this.#record;
    const keyLength = buffer.readUInt32LE(start + OFFSET_KEY_LENGTH);
    const valueLength = buffer.readUInt32LE(start + OFFSET_VALUE_LENGTH);
    record.typeByte = buffer[start + OFFSET_TYPE]!;
    record.expireAtMs = hasExpiry ? buffer.readDoubleLE(start + OFFSET_EXPIRY) : 0;
    if (!this.#options.isKnownType(record.typeByte)) {
      throw malformed(`it has a value of unknown type ${record.typeByte}`);
    }
    if (keyLength > KEY_BYTES_MAX) {
      throw malformed(`it has a key of ${keyLength} bytes, the limit is ${KEY_BYTES_MAX}`);
    }
    if (valueLength > VALUE_BYTES_MAX) {
      throw malformed(`it has a value of ${valueLength} bytes, the limit is ${VALUE_BYTES_MAX}`);
    }
    if (hasExpiry && !(record.expireAtMs > 0 && record.expireAtMs < Infinity)) {
      throw malformed(`it has an expiry of ${record.expireAtMs} ms`);
    }
    if (this.#recordCount === this.#entryCount) {
      throw malformed("it has more entries than it announces");
    }
    record.keyEnd = keyLength;
    record.valueEnd = keyLength + valueLength;
    this.#state = "content";
    this.#needBytes = record.valueEnd;
    if (this.#needBytes === 0) {
      this.#takeContent(buffer, start);
    }
  }

  #takeContent(buffer: Buffer, start: number): void {
    const record = this.#record;
    record.buffer = buffer;
    record.keyStart = start;
    record.keyEnd += start;
    record.valueEnd += start;
    if (!this.#options.onRecord(record)) {
      throw malformed("it has a key twice");
    }
    this.#recordCount += 1;
    this.#expectHeader();
  }

  #takeEnd(): void {
    if (this.#recordCount !== this.#entryCount) {
      throw malformed(`it announces ${this.#entryCount} entries and has ${this.#recordCount}`);
    }
    this.#state = "end";
    this.#options.onEnd();
  }
}

function malformed(reason: string): KeyspaceError {
  return new KeyspaceError("RESTORE_MALFORMED", `the keyspace snapshot can not be read: ${reason}`);
}
