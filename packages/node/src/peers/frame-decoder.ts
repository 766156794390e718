/**
 * Cuts a byte stream into frames, however it was chopped up on the way.
 *
 * A frame that lies whole in one received chunk is handed out in place. One that spans chunks is gathered in a buffer
 * of its own. Neither is ever reused: Node gives each received chunk its own memory, so views into a frame
 * (log entries, batches) stay valid for as long as somebody keeps them.
 *
 * A frame that comes in pieces (fragment.ts) is handed out when it is whole, like any other; each of its bytes goes from
 * the received chunk straight to its place in it.
 */
import { PeerError } from "./errors.ts";
import { FRAGMENT_HEAD_BYTES } from "./fragment.ts";
import { FragmentGatherer } from "./fragment-gatherer.ts";
import { FrameKind, HEADER_BYTES, LENGTH_FIELD_BYTES } from "./frame.ts";
import { malformed } from "./frame-reader.ts";

const SENDER_TIME_OFFSET = 12;

export interface FrameSink {
  /** The body is `buffer[start, end)`. A throw ends the decoding. The time of one in pieces is that of its last. */
  onFrame(
    header: { readonly kind: number; readonly group: number; readonly senderTimeMs: number },
    buffer: Buffer,
    start: number,
    end: number,
  ): void;
  /** A piece of a frame has begun to arrive. */
  onFragment?(): void;
}

export class FrameDecoder {
  readonly #sink: FrameSink;
  #frameBytesMax: number;
  /** The header of a frame that is not whole yet; of a piece with what stands behind it. */
  readonly #header: Buffer = Buffer.alloc(FRAGMENT_HEAD_BYTES);
  #headerBytes = 0;
  #headerBytesWanted = HEADER_BYTES;
  /** The frame that spans chunks, with its header, or null. */
  #gathered: Buffer | null = null;
  #gatheredBytes = 0;
  readonly #fragments = new FragmentGatherer();
  #stopped = false;
  /** Handed to the sink again and again, so that a frame costs no object. */
  readonly #view = { kind: 0, group: 0, senderTimeMs: 0 };

  constructor(frameBytesMax: number, sink: FrameSink) {
    this.#frameBytesMax = frameBytesMax;
    this.#sink = sink;
  }

  /** Changes the limit from the next frame on. */
  setFrameBytesMax(bytes: number): void {
    this.#frameBytesMax = bytes;
  }

  /** From now on a frame of up to `totalBytesMax` may come in pieces. */
  allowFragments(totalBytesMax: number): void {
    this.#fragments.allow(totalBytesMax);
  }

  /** Nothing is handed out any more; what is left of the current chunk is dropped. */
  stop(): void {
    this.#stopped = true;
    this.#gathered = null;
    this.#fragments.drop();
  }

  /** @throws PeerError frameTooLarge, frameMalformed, outOfOrder, and what the sink throws. The stream is unusable afterwards. */
  push(chunk: Buffer): void {
    let position = 0;
    while (position < chunk.length && !this.#stopped) {
      if (this.#gathered !== null) {
        position = this.#gather(chunk, position);
      } else if (this.#fragments.wantsBytes) {
        position = this.#pour(chunk, position);
      } else {
        position = this.#begin(chunk, position);
      }
    }
  }

  #begin(chunk: Buffer, position: number): number {
    const available = chunk.length - position;
    const isInPlace = this.#headerBytes === 0 && available >= HEADER_BYTES;
    if (!isInPlace || chunk[position + LENGTH_FIELD_BYTES] === FrameKind.Fragment) {
      return this.#collectHeader(chunk, position);
    }
    const total = this.#frameBytes(chunk, position);
    if (available >= total) {
      this.#emit(chunk, position, position + total);
      return position + total;
    }
    this.#gathered = Buffer.allocUnsafeSlow(total);
    this.#gatheredBytes = 0;
    return position;
  }

  #collectHeader(chunk: Buffer, position: number): number {
    const wanted = Math.min(this.#headerBytesWanted - this.#headerBytes, chunk.length - position);
    chunk.copy(this.#header, this.#headerBytes, position, position + wanted);
    this.#headerBytes += wanted;
    if (this.#headerBytes >= LENGTH_FIELD_BYTES) {
      // A length that can not be is refused as soon as it is there, not when 16 more bytes have come.
      const total = this.#frameBytes(this.#header, 0);
      if (this.#headerBytes === this.#headerBytesWanted) {
        this.#headerCollected(total);
      }
    }
    return position + wanted;
  }

  #headerCollected(total: number): void {
    if (this.#header[LENGTH_FIELD_BYTES] !== FrameKind.Fragment) {
      this.#gathered = Buffer.allocUnsafeSlow(total);
      this.#header.copy(this.#gathered, 0, 0, HEADER_BYTES);
      this.#gatheredBytes = HEADER_BYTES;
      this.#headerBytes = 0;
      this.#emitGatheredIfWhole();
    } else if (this.#headerBytesWanted === HEADER_BYTES && total >= FRAGMENT_HEAD_BYTES) {
      this.#headerBytesWanted = FRAGMENT_HEAD_BYTES;
    } else {
      this.#beginFragment(total);
      this.#headerBytes = 0;
      this.#headerBytesWanted = HEADER_BYTES;
    }
  }

  #beginFragment(total: number): void {
    const header = this.#header;
    if (total < FRAGMENT_HEAD_BYTES) {
      throw malformed(`a piece of ${total} bytes is shorter than its head`);
    }
    this.#readHeader(header, 0);
    this.#fragments.begin({
      group: this.#view.group,
      totalBytes: header.readUInt32LE(HEADER_BYTES),
      offsetBytes: header.readUInt32LE(HEADER_BYTES + 4),
      pieceBytes: total - FRAGMENT_HEAD_BYTES,
    });
    this.#sink.onFragment?.();
  }

  #pour(chunk: Buffer, position: number): number {
    const end = this.#fragments.pour(chunk, position);
    const whole = this.#fragments.wantsBytes ? null : this.#fragments.takeWhole();
    if (whole !== null) {
      // When the frame was begun may be long ago; who reads the sender's clock wants to know it as it is.
      const timeMs = this.#header.readDoubleLE(SENDER_TIME_OFFSET);
      this.#readHeader(whole, 0);
      this.#view.senderTimeMs = timeMs;
      this.#sink.onFrame(this.#view, whole, HEADER_BYTES, whole.length);
    }
    return end;
  }

  #gather(chunk: Buffer, position: number): number {
    const gathered = this.#gathered;
    if (gathered === null) {
      return position;
    }
    const wanted = Math.min(gathered.length - this.#gatheredBytes, chunk.length - position);
    chunk.copy(gathered, this.#gatheredBytes, position, position + wanted);
    this.#gatheredBytes += wanted;
    this.#emitGatheredIfWhole();
    return position + wanted;
  }

  #emitGatheredIfWhole(): void {
    const gathered = this.#gathered;
    if (gathered !== null && this.#gatheredBytes === gathered.length) {
      this.#gathered = null;
      this.#emit(gathered, 0, gathered.length);
    }
  }

  /** Bytes of the whole frame whose length field is at `position`. */
  #frameBytes(buffer: Buffer, position: number): number {
    const length = buffer.readUInt32LE(position);
    if (length < HEADER_BYTES - LENGTH_FIELD_BYTES) {
      throw malformed(`a length of ${length} is shorter than a header`);
    }
    const total = LENGTH_FIELD_BYTES + length;
    if (total > this.#frameBytesMax) {
      throw new PeerError(
        "frameTooLarge",
        `A frame of ${total} bytes is larger than the limit of ${this.#frameBytesMax}.`,
      );
    }
    return total;
  }

  #emit(buffer: Buffer, start: number, end: number): void {
    this.#readHeader(buffer, start);
    this.#sink.onFrame(this.#view, buffer, start + HEADER_BYTES, end);
  }

  #readHeader(buffer: Buffer, start: number): void {
    const kindAndZero = buffer.readUInt32LE(start + 4);
    if (kindAndZero > 0xff) {
      throw malformed("the bytes that must be zero are not");
    }
    const senderTimeMs = buffer.readDoubleLE(start + SENDER_TIME_OFFSET);
    if (!Number.isFinite(senderTimeMs)) {
      throw malformed(`the sender's time is ${senderTimeMs}`);
    }
    const view = this.#view;
    view.kind = kindAndZero;
    view.group = buffer.readUInt32LE(start + 8);
    view.senderTimeMs = senderTimeMs;
  }
}
