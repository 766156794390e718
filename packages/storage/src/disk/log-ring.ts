/**
 * The hand-over of writes to the log's worker thread: a ring of bytes in shared memory with one producer (the main
 * thread) and one consumer (the worker). Neither ever waits for the other in here; the worker sleeps on `wake`.
 *
 *        tail (worker)          head (main)
 *          v                      v
 *    +-----+--------+-------+-----+-----------+
 *    |free | message|message| ... | free      |      message: kind u32, size u32, payload, padding to 8
 *    +-----+--------+-------+-----+-----------+
 *
 * A message is never split at the end of the ring: a `skip` message fills the rest. Positions count bytes and wrap at
 * 2^32; the capacity is a power of two.
 */
import { readU32, writeU32 } from "./little-endian.ts";

export const MessageKind = {
  /** Padding up to the end of the ring. */
  skip: 0,
  /** A write in the encoding of `write-codec.ts`. */
  write: 1,
  /** A write too large for the ring: its bytes are the next message on the worker's port. */
  largeWrite: 2,
  /** index u64, term u64. */
  reset: 3,
  close: 4,
  /** Other keys to encrypt with: they are the next message on the worker's port, never in shared memory. */
  useKeys: 5,
  roll: 6,
} as const;
export type MessageKind = (typeof MessageKind)[keyof typeof MessageKind];

/** Capacity of the ring: 8 MiB. What does not fit waits in the main thread's memory. */
export const ringBytesDefault: number = 8 * 1024 * 1024;

const messageHeaderBytes = 8;
const alignmentBytes = 8;

/** Words of the control area. */
const headWord = 0;
const tailWord = 1;
const wakeWord = 2;
const doneWord = 3;
const announcedWord = 4;
const closeWord = 5;
const controlWords = 8;
const controlBytes = 64;
/** 64-bit cell of the control area, behind the words: compact up to this index. */
const compactCell = 4;

/** Both ends make one over the same memory. */
export class LogRing {
  readonly memory: SharedArrayBuffer;
  readonly #control: Int32Array;
  readonly #cells: BigInt64Array;
  readonly #bytes: Uint8Array;
  readonly #capacityBytes: number;

  constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    this.#control = new Int32Array(memory, 0, controlWords);
    this.#cells = new BigInt64Array(memory, 0, controlBytes / 8);
    this.#bytes = new Uint8Array(memory, controlBytes);
    this.#capacityBytes = this.#bytes.length;
  }

  /** `capacityBytes` must be a power of two. */
  static create(capacityBytes: number): LogRing {
    return new LogRing(new SharedArrayBuffer(controlBytes + capacityBytes));
  }

  /** The largest payload that goes through the ring; a quarter of it, so that large writes do not empty it. */
  get payloadBytesMax(): number {
    return this.#capacityBytes / 4;
  }

  /**
   * Main thread: room for a message, or -1 when the ring is full. Fill `bytes` at the returned position, then
   * `publish`.
   */
  claim(kind: MessageKind, payloadBytes: number): number {
    const sizeBytes = alignedSize(payloadBytes);
    let head = this.#control[headWord];
    let at = (head >>> 0) % this.#capacityBytes;
    const used = (head - Atomics.load(this.#control, tailWord)) | 0;
    const restBytes = this.#capacityBytes - at;
    const skipBytes = restBytes < sizeBytes ? restBytes : 0;
    if (used + skipBytes + sizeBytes > this.#capacityBytes) {
      return -1;
    }
    if (skipBytes > 0) {
      writeU32(this.#bytes, at, MessageKind.skip);
      writeU32(this.#bytes, at + 4, skipBytes - messageHeaderBytes);
      head = (head + skipBytes) | 0;
      Atomics.store(this.#control, headWord, head);
      at = 0;
    }
    writeU32(this.#bytes, at, kind);
    writeU32(this.#bytes, at + 4, payloadBytes);
    return at + messageHeaderBytes;
  }

  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** Main thread: hands the claimed message over and wakes the worker. */
  publish(payloadBytes: number): void {
    Atomics.store(
      this.#control,
      headWord,
      (this.#control[headWord] + alignedSize(payloadBytes)) | 0,
    );
    this.#wake();
  }

  /** Main thread: asks for compaction; it overtakes the writes in the ring. */
  requestCompaction(index: number): void {
    Atomics.store(this.#cells, compactCell, BigInt(index));
    this.#wake();
  }

  /** Main thread: a close message follows. Seen at once, also by a worker that takes no messages on a full disk. */
  requestClose(): void {
    Atomics.store(this.#control, closeWord, 1);
    this.#wake();
  }

  /** Worker: whether a close message is in the ring, or waits for room in it. */
  closeRequested(): boolean {
    return Atomics.load(this.#control, closeWord) === 1;
  }

  /** Main thread: how many messages are done. Counts modulo 2^32. */
  takeDone(): number {
    Atomics.store(this.#control, announcedWord, 0);
    return Atomics.load(this.#control, doneWord);
  }

  /** Worker: the oldest message, or null. The payload is a view of the ring, valid until `release`. */
  peek(): { readonly kind: MessageKind; readonly payload: Uint8Array } | null {
    let tail = this.#control[tailWord];
    while (tail !== Atomics.load(this.#control, headWord)) {
      const at = (tail >>> 0) % this.#capacityBytes;
      const kind = readU32(this.#bytes, at) as MessageKind;
      const payloadBytes = readU32(this.#bytes, at + 4);
      if (kind !== MessageKind.skip) {
        const start = at + messageHeaderBytes;
        return { kind, payload: this.#bytes.subarray(start, start + payloadBytes) };
      }
      tail = (tail + messageHeaderBytes + payloadBytes) | 0;
      Atomics.store(this.#control, tailWord, tail);
    }
    return null;
  }

  /** Worker: whether no message waits. */
  isEmpty(): boolean {
    return this.#control[tailWord] === Atomics.load(this.#control, headWord);
  }

  /** Worker: gives the place of the peeked message back. */
  release(payloadBytes: number): void {
    Atomics.store(
      this.#control,
      tailWord,
      (this.#control[tailWord] + alignedSize(payloadBytes)) | 0,
    );
  }

  /** Worker: the index up to which compaction was asked for. */
  compactionIndex(): number {
    return Number(Atomics.load(this.#cells, compactCell));
  }

  /** Worker: says how many messages are done. True when the main thread has to be told. */
  announceDone(count: number): boolean {
    Atomics.store(this.#control, doneWord, count | 0);
    return Atomics.exchange(this.#control, announcedWord, 1) === 0;
  }

  /** Worker: a number that changes with everything the main thread asks for; read it before looking for work. */
  wakeCount(): number {
    return Atomics.load(this.#control, wakeWord);
  }

  /** Worker: sleeps until there is something new since `wakeCount` was read, or for `timeoutMs`. */
  sleep(seen: number, timeoutMs: number): void {
    Atomics.wait(this.#control, wakeWord, seen, timeoutMs);
  }

  #wake(): void {
    Atomics.add(this.#control, wakeWord, 1);
    Atomics.notify(this.#control, wakeWord);
  }
}

function alignedSize(payloadBytes: number): number {
  return Math.ceil((messageHeaderBytes + payloadBytes) / alignmentBytes) * alignmentBytes;
}
