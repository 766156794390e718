/**
 * One log entry of the state machine: the writes that one node gathered from its clients, as raw RESP bytes.
 *
 *    0  u8   format (2)                     24  f64  incarnation of the origin's session
 *    1  u8   kind                           32  f64  sequence within the incarnation, from 1
 *    2  u16  zero                           40  f64  time in Unix ms      } stamped by the leader,
 *    4  u32  number of records              48  u32  seed for random()    } zero before
 *    8  16B  origin: the node's UUID        52  u32  group id (0)
 *                                           56  f64  revision of the users
 *   64  records, each: u32 length, u32 user (0: the default user), bytes
 *
 * A record of kind "commands" is one command in RESP, from `*` to the last CRLF, or an internal write, which begins with a
 * zero byte (internal-writes.ts); of kind "expiry" it is a key that the leader saw expire; "user expiry" has none; of kind
 * "raise" (the cluster's feature level) and "leader" it is an internal write that only a leader makes. The
 * revision is the one of the users under which the origin has checked every record. All numbers are little-endian. The
 * bytes go unchanged to the leader, the log, the followers and apply.
 */

export const BATCH_HEADER_BYTES = 64;
export const RECORD_HEADER_BYTES = 8;
const FORMAT = 2;

/** The "user" of what a node writes on its own account. No user ever has this id. */
export const NODE_ACTOR_ID = 0xffffffff;

export const BatchKind = { Commands: 1, Expiry: 2, UserExpiry: 3, Raise: 4, Leader: 5 } as const;
export type BatchKind = (typeof BatchKind)[keyof typeof BatchKind];

/** Who made a batch, and where it stands in that node's stream. */
export interface BatchOrigin {
  /** UUID as 16 bytes. */
  readonly nodeBytes: Buffer;
  readonly incarnation: number;
  readonly sequence: number;
  /** Of the users, when the batch was begun. */
  readonly aclRevision: number;
}

/** Of an entry that a leader makes by itself: it belongs to no stream. */
export const NO_ORIGIN: BatchOrigin = {
  nodeBytes: Buffer.alloc(16),
  incarnation: 0,
  sequence: 0,
  aclRevision: 0,
};

/** 16 bytes of a UUID in its text form. */
export function uuidBytes(uuid: string): Buffer {
  const bytes = Buffer.from(uuid.replaceAll("-", ""), "hex");
  if (bytes.length !== 16) throw new RangeError(`not a UUID: ${uuid}`);
  return bytes;
}

/** The text form of a UUID's 16 bytes, given as latin1. */
export function uuidText(latin1: string): string {
  const hex = Buffer.from(latin1, "latin1").toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** Gathers records in one reused buffer; `seal` copies out exactly what is there, or gives a large buffer away. */
export class BatchBuilder {
  readonly #kind: BatchKind;
  #buffer: Buffer = Buffer.allocUnsafeSlow(BUILDER_START_BYTES);
  #length = BATCH_HEADER_BYTES;
  #count = 0;

  constructor(kind: BatchKind) {
    this.#kind = kind;
  }

  get count(): number {
    return this.#count;
  }

  get sizeBytes(): number {
    return this.#length;
  }

  add(source: Uint8Array, start: number, end: number, userId: number): void {
    const length = end - start;
    const at = this.#length;
    const needed = at + RECORD_HEADER_BYTES + length;
    if (needed > this.#buffer.length) this.#grow(needed);
    const buffer = this.#buffer;
    buffer.writeUInt32LE(length, at);
    buffer.writeUInt32LE(userId, at + 4);
    copyRange(source, start, end, buffer, at + RECORD_HEADER_BYTES);
    this.#length = needed;
    this.#count++;
  }

  /** The batch as bytes of its own; the builder begins anew. */
  seal(origin: BatchOrigin): Buffer {
    const batch = this.#takeBytes();
    batch.fill(0, 0, BATCH_HEADER_BYTES);
    batch[0] = FORMAT;
    batch[1] = this.#kind;
    batch.writeUInt32LE(this.#count, 4);
    origin.nodeBytes.copy(batch, 8);
    batch.writeDoubleLE(origin.incarnation, 24);
    batch.writeDoubleLE(origin.sequence, 32);
    batch.writeDoubleLE(origin.aclRevision, 56);
    this.#length = BATCH_HEADER_BYTES;
    this.#count = 0;
    return batch;
  }

  #takeBytes(): Buffer {
    const bytes = this.#buffer.subarray(0, this.#length);
    if (this.#buffer.length <= BUILDER_KEEP_BYTES) {
      const copy = Buffer.allocUnsafeSlow(this.#length);
      bytes.copy(copy, BATCH_HEADER_BYTES, BATCH_HEADER_BYTES);
      return copy;
    }
    this.#buffer = Buffer.allocUnsafeSlow(BUILDER_START_BYTES);
    return bytes;
  }

  #grow(needed: number): void {
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(grown, 0, 0, this.#length);
    this.#buffer = grown;
  }
}

const BUILDER_START_BYTES = 64 * 1024;
/** A builder that grew beyond this has done so for one large command: its buffer becomes the batch. */
const BUILDER_KEEP_BYTES = 4 * 1024 * 1024;

/** `copy` where there is one: a plain Uint8Array has only `set`, which needs a view. */
function copyRange(
  source: Uint8Array,
  start: number,
  end: number,
  target: Buffer,
  at: number,
): void {
  if (Buffer.isBuffer(source)) source.copy(target, at, start, end);
  else target.set(source.subarray(start, end), at);
}

/** Gives the batch its place in another incarnation's stream. Only for a batch nobody has seen yet. */
export function renumber(
  batch: Buffer,
  origin: Pick<BatchOrigin, "incarnation" | "sequence">,
): void {
  batch.writeDoubleLE(origin.incarnation, 24);
  batch.writeDoubleLE(origin.sequence, 32);
}

/** The leader fixes time and randomness. Only for bytes that are not in a log yet. */
export function stamp(
  batch: Buffer,
  fixed: { readonly timeMs: number; readonly seed: number },
): void {
  batch.writeDoubleLE(fixed.timeMs, 40);
  batch.writeUInt32LE(fixed.seed >>> 0, 48);
}

/** Reads a batch in place. One instance is reused by apply. */
export class BatchReader {
  buffer: Buffer = EMPTY;
  kind: BatchKind = BatchKind.Commands;
  count = 0;
  originKey = "";
  incarnation = 0;
  sequence = 0;
  timeMs = 0;
  seed = 0;
  aclRevision = 0;
  /** Range of the current record, after `next()`. */
  recordStart = 0;
  recordEnd = 0;
  /** Who asked for the current record. */
  recordUserId = 0;
  #at = 0;
  #left = 0;

  /** False when these are not the bytes of a batch. */
  open(data: Uint8Array): boolean {
    const buffer = asBuffer(data);
    if (buffer.length < BATCH_HEADER_BYTES || buffer[0] !== FORMAT) return false;
    const kind = buffer[1];
    if (kind < BatchKind.Commands || kind > BatchKind.Leader) return false;
    this.buffer = buffer;
    this.kind = kind as BatchKind;
    this.count = buffer.readUInt32LE(4);
    this.originKey = buffer.toString("latin1", 8, 24);
    this.incarnation = buffer.readDoubleLE(24);
    this.sequence = buffer.readDoubleLE(32);
    this.timeMs = buffer.readDoubleLE(40);
    this.seed = buffer.readUInt32LE(48);
    this.aclRevision = buffer.readDoubleLE(56);
    this.#at = BATCH_HEADER_BYTES;
    this.#left = this.count;
    return true;
  }

  /** Moves to the next record; false at the end (or where the bytes end too early). */
  next(): boolean {
    if (this.#left === 0) return false;
    const at = this.#at;
    if (at + RECORD_HEADER_BYTES > this.buffer.length) return false;
    const end = at + RECORD_HEADER_BYTES + this.buffer.readUInt32LE(at);
    if (end > this.buffer.length) return false;
    this.recordStart = at + RECORD_HEADER_BYTES;
    this.recordEnd = end;
    this.recordUserId = this.buffer.readUInt32LE(at + 4);
    this.#at = end;
    this.#left--;
    return true;
  }
}

/**
 * Whether bytes from another node are a whole batch of commands: every length inside, nothing left over. A leader checks it
 * before it appends, because what is in the log is applied by all.
 */
export function isWholeBatch(data: Uint8Array): boolean {
  const reader = new BatchReader();
  if (!reader.open(data) || reader.kind !== BatchKind.Commands) return false;
  if (!Number.isSafeInteger(reader.sequence) || reader.sequence < 1) return false;
  if (!Number.isSafeInteger(reader.incarnation) || reader.incarnation < 1) return false;
  if (!Number.isSafeInteger(reader.aclRevision) || reader.aclRevision < 0) return false;
  let records = 0;
  while (reader.next()) records++;
  return records === reader.count && records > 0 && reader.recordEnd === reader.buffer.length;
}

export function asBuffer(data: Uint8Array): Buffer {
  return Buffer.isBuffer(data) ? data : Buffer.from(data.buffer, data.byteOffset, data.length);
}

const EMPTY: Buffer = Buffer.alloc(0);
