/**
 * The replies of one client on their way to its socket. One socket write per flush; while the kernel has not taken the
 * last one, replies are collected, so that a slow client costs the bytes of its replies and not a chunk each.
 */
import type { ChunkPool } from "../resp/chunk-pool.ts";
import type { ByteStream } from "./byte-stream.ts";
import { CountingReply } from "./counting-reply.ts";
import type { ServerCounters } from "./edge-context.ts";
import type { ErrorCounts } from "./statistics.ts";

export interface OutputOptions {
  readonly stream: ByteStream;
  readonly pool: ChunkPool;
  readonly counters: ServerCounters;
  readonly errors: ErrorCounts;
  /** Replies collected before they are handed over although the kernel is behind. */
  readonly chunkBytes: number;
  /** Replies that may be collected at all. */
  bytesMax(): number;
}

export class Output {
  readonly reply: CountingReply;
  readonly #stream: ByteStream;
  readonly #pool: ChunkPool;
  readonly #counters: ServerCounters;
  readonly #chunkBytes: number;
  /** The buffer of a write the kernel has not taken whole; it may not be reused yet. */
  #sending: Buffer | null = null;
  readonly #onWritten: (error?: Error | null) => void;

  constructor(options: OutputOptions) {
    this.reply = new CountingReply(options.pool, options.errors, () => options.bytesMax());
    this.#stream = options.stream;
    this.#pool = options.pool;
    this.#counters = options.counters;
    this.#chunkBytes = options.chunkBytes;
    this.#onWritten = (error) => {
      if (!error) this.#afterWrite();
    };
  }

  /** Bytes of replies that the kernel has not taken. */
  get waitingBytes(): number {
    return this.reply.pendingBytes + this.#stream.writableLength;
  }

  /** Hands the collected replies to the socket in one write. */
  flush(): void {
    const pending = this.reply.pendingBytes;
    // After an overflow what is there begins in the middle of an answer.
    if (pending === 0 || this.reply.hasOverflowed) return;
    if (this.#sending !== null) {
      // The kernel is behind. A whole chunk goes to the socket's own queue; it is not reused.
      if (pending >= this.#chunkBytes) this.#write(this.reply.takePending());
      return;
    }
    this.#write(this.reply.peekPending());
    if (this.#stream.writableLength === 0) this.reply.discard();
    else this.#sending = this.reply.takePending();
  }

  /** Sends what is collected and closes this side of the socket behind it. */
  finish(): void {
    if (this.reply.pendingBytes > 0) this.#write(this.reply.takePending());
    this.#stream.end();
  }

  /** The socket is gone: gives memory back. A buffer the kernel may still read is left to the collector. */
  discard(): void {
    this.reply.discard();
    this.#sending = null;
  }

  #write(bytes: Buffer): void {
    this.#counters.netOutputBytes += bytes.length;
    this.#stream.write(bytes, this.#onWritten);
  }

  #afterWrite(): void {
    const sent = this.#sending;
    if (sent === null || this.#stream.writableLength > 0) return;
    this.#sending = null;
    this.#pool.release(sent);
    this.flush();
  }
}
