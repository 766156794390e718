/**
 * Cuts a byte stream into frames, however it was chopped up on the way.
 *
 * A frame that lies whole in one received chunk is handed out in place. One that spans chunks is gathered in a buffer
 * of its own. Neither is ever reused: Node gives each received chunk its own memory, so views into a frame
 * (log entries, batches) stay valid for as long as somebody keeps them.
 */
import { PeerError } from "./errors.ts";
import { HEADER_BYTES, LENGTH_FIELD_BYTES } from "./frame.ts";
import { malformed } from "./frame-reader.ts";

export interface FrameSink {
  /** The body is `buffer[start, end)`. A throw ends the decoding. */
  onFrame(
    header: { readonly kind: number; readonly group: number; readonly senderTimeMs: number },
    buffer: Buffer,
    start: number,
    end: number,
  ): void;
}

export class FrameDecoder {
  readonly #sink: FrameSink;
  #frameBytesMax: number;
  /** The header of a frame that is not whole yet. */
  readonly #header: Buffer = Buffer.alloc(HEADER_BYTES);
  #headerBytes = 0;
  /** The frame that spans chunks, with its header, or null. */
  #gathered: Buffer | null = null;
  #gatheredBytes = 0;
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

  /** Nothing is handed out any more; what is left of the current chunk is dropped. */
  stop(): void {
    this.#stopped = true;
    this.#gathered = null;
  }

  /** @throws PeerError frameTooLarge, frameMalformed, and what the sink throws. The stream is unusable afterwards. */
  push(chunk: Buffer): void {
    let position = 0;
    while (position < chunk.length && !this.#stopped) {
      position =
        this.#gathered === null ? this.#begin(chunk, position) : this.#gather(chunk, position);
    }
  }

  #begin(chunk: Buffer, position: number): number {
    const available = chunk.length - position;
    if (this.#headerBytes === 0 && available >= HEADER_BYTES) {
      const total = this.#frameBytes(chunk, position);
      if (available >= total) {
        this.#emit(chunk, position, position + total);
        return position + total;
      }
      this.#gathered = Buffer.allocUnsafeSlow(total);
      this.#gatheredBytes = 0;
      return position;
    }
    const wanted = Math.min(HEADER_BYTES - this.#headerBytes, available);
    chunk.copy(this.#header, this.#headerBytes, position, position + wanted);
    this.#headerBytes += wanted;
    if (this.#headerBytes === HEADER_BYTES) {
      const total = this.#frameBytes(this.#header, 0);
      this.#gathered = Buffer.allocUnsafeSlow(total);
      this.#header.copy(this.#gathered);
      this.#gatheredBytes = HEADER_BYTES;
      this.#headerBytes = 0;
      this.#emitGatheredIfWhole();
    } else if (this.#headerBytes >= LENGTH_FIELD_BYTES) {
      // A length that can not be is refused as soon as it is there, not when 16 more bytes have come.
      this.#frameBytes(this.#header, 0);
    }
    return position + wanted;
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
    const kindAndZero = buffer.readUInt32LE(start + 4);
    if (kindAndZero > 0xff) {
      throw malformed("the bytes that must be zero are not");
    }
    const senderTimeMs = buffer.readDoubleLE(start + 12);
    if (!Number.isFinite(senderTimeMs)) {
      throw malformed(`the sender's time is ${senderTimeMs}`);
    }
    const view = this.#view;
    view.kind = kindAndZero;
    view.group = buffer.readUInt32LE(start + 8);
    view.senderTimeMs = senderTimeMs;
    this.#sink.onFrame(view, buffer, start + HEADER_BYTES, end);
  }
}
