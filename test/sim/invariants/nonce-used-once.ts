/**
 * No two messages are encrypted under one data key and one nonce: that would give away both, and the key that proves them.
 * Looked at where records and headers of segments are written, whether a crash lets them arrive or not.
 */
const HEADER_BYTES = 512;
const ENCRYPTED_FLAG = 2;
/** Where a segment's header has its flags and the slot of its wrapped data key (packages/storage, segment-format.ts). */
const FLAGS_AT = 10;
const SLOT = { start: 280, end: 352 } as const;
/** Where a record has its flags, its checksum and the two parts of its nonce (record-format.ts). */
const RECORD_FLAGS_AT = 5;
const RECORD_CHECKSUM_AT = 56;
const SEQUENCE = { start: 8, end: 12 } as const;
const SALT = { start: 48, end: 56 } as const;

export class NonceUsedOnce {
  readonly #node: string;
  /** Of each segment, the data key it was begun with, by its first wrapping. */
  readonly #keys: Map<string, string> = new Map();
  /** Data key and nonce; the checksum of what was written under them. */
  readonly #used: Map<string, number> = new Map();

  readonly #report: (sentence: string) => void;

  /** `report` is told of each that is used twice; it must not throw: who writes would take that for the disk's failure. */
  constructor(node: string, report: (sentence: string) => void) {
    this.#node = node;
    this.#report = report;
  }

  written(path: string, bytes: Uint8Array, position: number): void {
    if (!path.endsWith(".log")) return;
    const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    if (position === 0) this.#headerWritten(path, view);
    else if (position >= HEADER_BYTES) this.#recordWritten(path, view);
  }

  #headerWritten(path: string, header: Buffer): void {
    const isHeader = header.length === HEADER_BYTES && (header[FLAGS_AT] & ENCRYPTED_FLAG) !== 0;
    if (!isHeader) {
      this.#keys.delete(path);
      return;
    }
    const key = header.toString("latin1", SLOT.start, SLOT.end);
    this.#keys.set(path, key);
    this.#use(path, key, header.readUInt32LE(HEADER_BYTES - 8));
  }

  #recordWritten(path: string, record: Buffer): void {
    const key = this.#keys.get(path);
    const isRecord = key !== undefined && (record[RECORD_FLAGS_AT] & ENCRYPTED_FLAG) !== 0;
    if (!isRecord) return;
    const salt = record.toString("latin1", SALT.start, SALT.end);
    const sequence = record.toString("latin1", SEQUENCE.start, SEQUENCE.end);
    this.#use(path, key + salt + sequence, record.readUInt32LE(RECORD_CHECKSUM_AT));
  }

  #use(path: string, message: string, checksum: number): void {
    const before = this.#used.get(message);
    if (before !== undefined && before !== checksum) {
      this.#report(
        `nonce used once: ${this.#node} encrypts two messages under one key and nonce in ${path}`,
      );
    }
    this.#used.set(message, checksum);
  }
}
