/**
 * One direction of one connection through the proxy. What is sent while the direction is cut is neither lost nor delivered:
 * it waits, as bytes do that TCP sends again and again, and arrives late when the cut ends. The end of a connection and its
 * reset wait as well, so that a node may be left with a connection whose other side is long gone.
 */
import type { Socket } from "node:net";
import { SOUND, type LinkCondition } from "./link-conditions.ts";

/** Beyond this nothing more is read from the sender, so that its own buffers fill. */
const QUEUE_BYTES_MAX = 256 * 1024;

type Item =
  | { readonly kind: "bytes"; readonly dueMs: number; readonly bytes: Buffer }
  /** The sender sends no more; or its connection is gone, orderly or not. */
  | { readonly kind: "end" | "closed" | "reset"; readonly dueMs: number };

export class Passage {
  readonly #source: Socket;
  readonly #destination: Socket;
  readonly #random: () => number;
  #condition: LinkCondition = SOUND;
  readonly #queue: Item[] = [];
  #queuedBytes = 0;
  #lastDueMs = 0;
  #isBlocked = false;
  #timer: NodeJS.Timeout | null = null;

  constructor(source: Socket, destination: Socket, random: () => number) {
    this.#source = source;
    this.#destination = destination;
    this.#random = random;
    let failed = false;
    source.on("data", (bytes: Buffer) => this.#take(bytes));
    source.on("end", () => this.#push({ kind: "end", dueMs: this.#dueMs(0) }));
    source.on("error", () => (failed = true));
    source.on("close", () => {
      this.#push({ kind: failed ? "reset" : "closed", dueMs: this.#dueMs(0) });
    });
    destination.on("drain", () => {
      this.#isBlocked = false;
      this.#deliver();
    });
    destination.on("close", () => this.#forget());
  }

  set(condition: LinkCondition): void {
    this.#condition = condition;
    this.#deliver();
  }

  #take(bytes: Buffer): void {
    this.#queuedBytes += bytes.length;
    this.#push({ kind: "bytes", dueMs: this.#dueMs(bytes.length), bytes });
  }

  /** When something arrives that is sent now: never before what was sent earlier. */
  #dueMs(lengthBytes: number): number {
    const { delayMs, jitterMs, bytesPerMs } = this.#condition;
    const arrivesMs = performance.now() + delayMs + jitterMs * this.#random();
    this.#lastDueMs = Math.max(arrivesMs, this.#lastDueMs) + lengthBytes / bytesPerMs;
    return this.#lastDueMs;
  }

  #push(item: Item): void {
    if (this.#destination.destroyed) return this.#forget();
    this.#queue.push(item);
    this.#deliver();
  }

  #deliver(): void {
    clearTimeout(this.#timer ?? undefined);
    this.#timer = null;
    while (this.#queue.length > 0 && !this.#condition.isCut && !this.#isBlocked) {
      const waitMs = this.#queue[0].dueMs - performance.now();
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.#deliver(), waitMs);
        break;
      }
      this.#handOver(this.#queue.shift()!);
    }
    const isTooMuch = this.#condition.isCut || this.#queuedBytes > QUEUE_BYTES_MAX;
    if (isTooMuch) this.#source.pause();
    else this.#source.resume();
  }

  #handOver(item: Item): void {
    switch (item.kind) {
      case "bytes":
        this.#queuedBytes -= item.bytes.length;
        this.#isBlocked = !this.#destination.write(item.bytes);
        return;
      case "end":
        this.#destination.end();
        return;
      case "closed":
        this.#destination.destroy();
        return;
      case "reset":
        this.#destination.resetAndDestroy();
    }
  }

  /** Nobody is there to deliver to. What comes is read and dropped, so that its end is seen. */
  #forget(): void {
    clearTimeout(this.#timer ?? undefined);
    this.#queue.length = 0;
    this.#queuedBytes = 0;
    this.#source.resume();
  }
}
