/** A socket that finishes its writes when the test says so. */
import type { OutboundSocket } from "../../src/peers/outbound-queue.ts";

interface PendingWrite {
  readonly bytes: number;
  readonly done: (() => void) | undefined;
}

export class FakeSocket implements OutboundSocket {
  writableLength = 0;
  /** Everything that was written, in order. */
  readonly written: Buffer[] = [];
  /** How often `cork` was undone or a write was made outside of it: what a real socket hands to the system. */
  batches = 0;
  readonly #pending: PendingWrite[] = [];
  #isCorked = false;

  cork(): void {
    this.#isCorked = true;
  }

  uncork(): void {
    this.#isCorked = false;
    this.batches++;
  }

  write(bytes: Uint8Array, done?: () => void): boolean {
    if (!this.#isCorked) this.batches++;
    this.writableLength += bytes.length;
    this.written.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
    this.#pending.push({ bytes: bytes.length, done });
    return true;
  }

  /** The oldest write leaves. False when there is none. */
  finishOne(): boolean {
    const write = this.#pending.shift();
    if (write === undefined) return false;
    this.writableLength -= write.bytes;
    write.done?.();
    return true;
  }

  finishAll(): void {
    while (this.finishOne());
  }
}
