/** Reads the body of one frame and never beyond it. One reader per link is used again and again. */
import type { NodeId } from "@ferrite/raft";
import { PeerError } from "./errors.ts";
import { NODE_ID_BYTES, readNodeId } from "./node-id-bytes.ts";

const NOTHING: Buffer = Buffer.alloc(0);

export class FrameReader {
  #buffer: Buffer = NOTHING;
  #position = 0;
  #end = 0;

  /** Turns to the body in `buffer[start, end)`. */
  open(buffer: Buffer, start: number, end: number): void {
    this.#buffer = buffer;
    this.#position = start;
    this.#end = end;
  }

  get remainingBytes(): number {
    return this.#end - this.#position;
  }

  u8(): number {
    return this.#buffer.readUInt8(this.#advance(1));
  }

  u16(): number {
    return this.#buffer.readUInt16LE(this.#advance(2));
  }

  u32(): number {
    return this.#buffer.readUInt32LE(this.#advance(4));
  }

  /** A byte that is 0 or 1. */
  boolean(): boolean {
    const value = this.u8();
    if (value > 1) {
      throw malformed(`a yes or no is ${value}`);
    }
    return value === 1;
  }

  /** A whole number from 0 to 2^53 - 1: the only numbers terms, indexes and sequences can be. */
  count(): number {
    const value = this.#buffer.readDoubleLE(this.#advance(8));
    if (!Number.isSafeInteger(value) || value < 0 || Object.is(value, -0)) {
      throw malformed(`${value} is not a count`);
    }
    return value;
  }

  nodeId(): NodeId {
    return readNodeId(this.#buffer, this.#advance(NODE_ID_BYTES));
  }

  /** A view, not a copy: received buffers are never reused (see frame-decoder.ts). */
  bytes(length: number): Buffer {
    const start = this.#advance(length);
    return this.#buffer.subarray(start, start + length);
  }

  /** @throws PeerError frameMalformed when something is left. */
  finish(): void {
    if (this.#position !== this.#end) {
      throw malformed(`${this.#end - this.#position} bytes are left over`);
    }
    this.#buffer = NOTHING;
    this.#position = 0;
    this.#end = 0;
  }

  #advance(length: number): number {
    const start = this.#position;
    if (length > this.#end - start) {
      throw malformed(`it ends ${length - (this.#end - start)} bytes too early`);
    }
    this.#position = start + length;
    return start;
  }
}

export function malformed(what: string): PeerError {
  return new PeerError("frameMalformed", `A frame is malformed: ${what}.`);
}
