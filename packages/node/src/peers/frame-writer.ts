/**
 * Puts frames behind each other into as few buffers as possible, for one socket write.
 *
 *   chunk:  [ frame | frame | frame he|   ]        small pieces are copied here
 *   parts:  [chunk.subarray(..), big data, chunk.subarray(..), ...]
 *
 * Bytes that were handed out by `take` are never touched again: the socket may still read them. A chunk's free
 * tail is used for later frames, so that many small writes do not cost an allocation each.
 */
import type { NodeId } from "@ferrite/raft";
import { HEADER_BYTES, LENGTH_FIELD_BYTES } from "./frame.ts";
import type { FrameKind } from "./frame.ts";
import { NODE_ID_BYTES, writeNodeId } from "./node-id-bytes.ts";

const CHUNK_BYTES = 64 * 1024;
/** Data up to this size is cheaper to copy than to hand to the socket as a piece of its own. */
export const COPY_BYTES_MAX: number = 8 * 1024;

export class FrameWriter {
  /** Made with the first frame: many writers never have one. */
  #chunk: Buffer = Buffer.alloc(0);
  /** Where the part begins that was not cut off yet. */
  #partStart = 0;
  #position = 0;
  #parts: Uint8Array[] = [];
  #pendingBytes = 0;

  /** Bytes written since the last `take`. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /**
   * Begins a frame whose body will have exactly `bodyBytes` bytes, of which `fixedBytes` (all but data given to
   * `bytes` and what is reserved later) come first.
   */
  begin(
    kind: FrameKind,
    group: number,
    senderTimeMs: number,
    bodyBytes: number,
    fixedBytes: number,
  ): void {
    this.reserve(HEADER_BYTES + fixedBytes);
    const chunk = this.#chunk;
    const at = this.#position;
    chunk.writeUInt32LE(HEADER_BYTES - LENGTH_FIELD_BYTES + bodyBytes, at);
    chunk.writeUInt32LE(kind, at + 4);
    chunk.writeUInt32LE(group, at + 8);
    chunk.writeDoubleLE(senderTimeMs, at + 12);
    this.#position = at + HEADER_BYTES;
    this.#pendingBytes += HEADER_BYTES + bodyBytes;
  }

  /** Makes room for `count` bytes of numbers. */
  reserve(count: number): void {
    if (this.#position + count <= this.#chunk.length) {
      return;
    }
    this.#cut();
    this.#chunk = Buffer.allocUnsafeSlow(Math.max(CHUNK_BYTES, count));
    this.#partStart = 0;
    this.#position = 0;
  }

  u8(value: number): void {
    this.#position = this.#chunk.writeUInt8(value, this.#position);
  }

  u16(value: number): void {
    this.#position = this.#chunk.writeUInt16LE(value, this.#position);
  }

  u32(value: number): void {
    this.#position = this.#chunk.writeUInt32LE(value, this.#position);
  }

  f64(value: number): void {
    this.#position = this.#chunk.writeDoubleLE(value, this.#position);
  }

  nodeId(id: NodeId): void {
    writeNodeId(this.#chunk, id, this.#position);
    this.#position += NODE_ID_BYTES;
  }

  /** Copies small data, refers to large data: it must not change until it was sent. */
  bytes(data: Uint8Array): void {
    if (data.length === 0) {
      return;
    }
    if (data.length <= COPY_BYTES_MAX) {
      this.reserve(data.length);
      this.#chunk.set(data, this.#position);
      this.#position += data.length;
      return;
    }
    this.#cut();
    this.#parts.push(data);
  }

  /** Everything written since the last call, in order. The caller owns the list. */
  take(): Uint8Array[] {
    this.#cut();
    const parts = this.#parts;
    this.#parts = [];
    this.#pendingBytes = 0;
    return parts;
  }

  #cut(): void {
    if (this.#position > this.#partStart) {
      this.#parts.push(this.#chunk.subarray(this.#partStart, this.#position));
      this.#partStart = this.#position;
    }
  }
}
