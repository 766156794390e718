/**
 * A connection between a client and a node: bytes in both directions, in order, late, in pieces. Closed by either side, or reset,
 * in the middle of anything.
 *
 *   client  send -> [ pieces on their way ] -> data     node (ByteStream)
 *           data <- [ pieces on their way ] <- write
 */
import type { ByteStream } from "@ferrite/node/simulation";
import type { Prng } from "../prng.ts";
import type { Scheduler } from "../scheduler.ts";

export interface StreamWorld {
  /** Of the client: it goes on whatever becomes of the node. */
  readonly scheduler: Scheduler;
  /** What happens in the node: not while it is paused, and never in its next life. */
  readonly inNode: (run: () => void) => void;
  readonly prng: Prng;
}

/** What the client hears. */
export interface ClientEvents {
  onData(bytes: Buffer): void;
  /** Nothing more comes, in either direction. */
  onClosed(): void;
}

const LATENCY_MS = { low: 0.02, high: 0.4 };
/** Of a write, that the kernel does not take it at once. */
const BACKLOG_RATE = 0.03;
const BACKLOG_MS_MAX = 5;
/** Of what a client sends, that it arrives in pieces. */
const PIECES_RATE = 0.15;

export class VirtualStream implements ByteStream {
  writableLength = 0;
  readonly #world: StreamWorld;
  readonly #client: ClientEvents;
  #onData: (bytes: Buffer) => void = () => {};
  #onEnd: () => void = () => {};
  #onClose: () => void = () => {};
  #onError: (error: Error) => void = () => {};
  #isPaused = false;
  /** Arrived while it was paused. */
  #held: Buffer[] = [];
  #isServerEnded = false;
  #isClientEnded = false;
  #isClosed = false;
  #toNodeAtMs = 0;
  #toClientAtMs = 0;

  constructor(world: StreamWorld, client: ClientEvents) {
    this.#world = world;
    this.#client = client;
  }

  // ---- the client's side ----------------------------------------------------------------------------------------

  /** Bytes to the node, as a whole or cut anywhere. */
  send(bytes: Buffer): void {
    let rest = bytes;
    while (rest.length > 1 && this.#world.prng.chance(PIECES_RATE)) {
      const cut = this.#world.prng.between(1, rest.length);
      this.#sendPiece(rest.subarray(0, cut));
      rest = rest.subarray(cut);
    }
    this.#sendPiece(rest);
  }

  /** The client sends nothing more and still listens. */
  endByClient(): void {
    this.#toNode(() => {
      this.#isClientEnded = true;
      if (this.#held.length === 0) this.#onEnd();
      this.#closeWhenBothEnded();
    });
  }

  /** The client is gone, all at once: what it sent may still arrive, what comes back is dropped. */
  resetByClient(): void {
    this.#toNode(() => {
      this.#onError(Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" }));
      this.#close();
    });
  }

  // ---- the node's side: what a socket does ------------------------------------------------------------------------

  on(event: "data" | "end" | "close" | "error", listener: (value: never) => void): this {
    switch (event) {
      case "data":
        this.#onData = listener as (bytes: Buffer) => void;
        break;
      case "end":
        this.#onEnd = listener as () => void;
        break;
      case "close":
        this.#onClose = listener as () => void;
        break;
      case "error":
        this.#onError = listener as (error: Error) => void;
        break;
    }
    return this;
  }

  write(bytes: Uint8Array, done: (error?: Error | null) => void): boolean {
    if (this.#isClosed || this.#isServerEnded) return false;
    // What is given to a socket may be used again as soon as the kernel has it.
    const own = Buffer.from(bytes);
    this.#toClient(() => this.#client.onData(own));
    const isTaken = this.writableLength === 0 && !this.#world.prng.chance(BACKLOG_RATE);
    if (isTaken) {
      done(null);
      return true;
    }
    this.writableLength += own.length;
    this.#inNodeAfter(this.#world.prng.next() * BACKLOG_MS_MAX, () => {
      this.writableLength -= own.length;
      done(null);
    });
    return false;
  }

  end(): void {
    if (this.#isServerEnded) return;
    this.#isServerEnded = true;
    this.#toClient(() => this.#client.onClosed());
    this.#closeWhenBothEnded();
  }

  destroy(): void {
    if (this.#isClosed) return;
    this.#toClient(() => this.#client.onClosed());
    this.#inNodeAfter(0, () => this.#close());
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#inNodeAfter(0, () => this.#handOut());
  }

  // ---- the wire -------------------------------------------------------------------------------------------------

  #sendPiece(piece: Buffer): void {
    this.#toNode(() => {
      this.#held.push(Buffer.from(piece));
      this.#handOut();
    });
  }

  #handOut(): void {
    while (!this.#isPaused && !this.#isClosed) {
      const bytes = this.#held.shift();
      if (bytes === undefined) return;
      this.#onData(bytes);
      // The real read buffer is one for all connections: whoever keeps a view into it must be found out.
      bytes.fill(0xaa);
      if (this.#held.length === 0 && this.#isClientEnded) this.#onEnd();
    }
  }

  #closeWhenBothEnded(): void {
    if (this.#isClientEnded && this.#isServerEnded) this.#inNodeAfter(0, () => this.#close());
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#held = [];
    this.#onClose();
  }

  #toNode(run: () => void): void {
    this.#toNodeAtMs = this.#laterThan(this.#toNodeAtMs);
    const delayMs = this.#toNodeAtMs - this.#world.scheduler.nowMs;
    this.#inNodeAfter(delayMs, () => {
      if (!this.#isClosed) run();
    });
  }

  #toClient(run: () => void): void {
    this.#toClientAtMs = this.#laterThan(this.#toClientAtMs);
    this.#world.scheduler.after(this.#toClientAtMs - this.#world.scheduler.nowMs, run);
  }

  /** In order: what was sent before arrives before. */
  #laterThan(earlierMs: number): number {
    const { scheduler, prng } = this.#world;
    const { low, high } = LATENCY_MS;
    return Math.max(earlierMs, scheduler.nowMs + low + prng.next() * (high - low));
  }

  #inNodeAfter(delayMs: number, run: () => void): void {
    this.#world.scheduler.after(delayMs, () => this.#world.inNode(run));
  }
}
