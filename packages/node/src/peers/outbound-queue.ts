/**
 * What a link sends: two lanes into one socket.
 *
 *   urgent, and all that is small ──────────────────> writer ── one write per flush ──> socket
 *                 while the socket is low on bytes ───^                                   ^
 *   everything else ──> ordered lane ── runs and pieces, as long as the socket is low ────┘
 *
 * Nearly always the lane is empty, and frames go straight through the writer. As soon as something large or too much comes,
 * it waits in the lane, and everything ordered that comes later waits behind it. What is urgent (urgency.ts) never does.
 * So a heartbeat is behind `socketBytesLow` and one piece at most, however large a value is.
 */
import type { PeerPayload } from "../replica/transport.ts";
import type { PeerCounters } from "./counters.ts";
import { FRAGMENT_BYTES, HEADER_BYTES } from "./frame.ts";
import { FrameWriter } from "./frame-writer.ts";
import type { PeerLimits } from "./limits.ts";
import { OrderedLane } from "./ordered-lane.ts";
import { payloadBodyBytes, writePayload } from "./payload-codec.ts";
import type { PeerClock } from "./ports.ts";
import { isUrgent } from "./urgency.ts";

/** The part of a socket that is used here. */
export interface OutboundSocket {
  /** Bytes that were written and have not left. */
  readonly writableLength: number;
  cork(): void;
  uncork(): void;
  write(bytes: Uint8Array, done?: () => void): boolean;
}

export interface OutboundServices {
  readonly limits: PeerLimits;
  readonly counters: PeerCounters;
  readonly clock: PeerClock;
  /** This node's logical clock, written on every frame. */
  logicalNowMs(): number;
}

export class OutboundQueue {
  readonly #socket: OutboundSocket;
  readonly #services: OutboundServices;
  readonly #writer = new FrameWriter();
  readonly #lane = new OrderedLane();
  #isHeld = false;
  #isClosed = false;
  #onDrained: (() => void) | null = null;
  /** When a write to the socket was last finished, or begun on an idle socket. */
  #progressAtMs = 0;

  constructor(socket: OutboundSocket, services: OutboundServices) {
    this.#socket = socket;
    this.#services = services;
  }

  /** Bytes that wait for the peer, in frames not flushed and in the socket. */
  get queuedBytes(): number {
    return this.#aheadBytes + this.#lane.bytes;
  }

  /**
   * Queues a payload; `flush` sends it. False when the queue is full, the frame too large, or the same large one waits.
   * @throws PeerError notEncodable for what the format can not express.
   */
  send(payload: PeerPayload): boolean {
    const { counters, limits } = this.#services;
    const bodyBytes = payloadBodyBytes(payload);
    const frameBytes = HEADER_BYTES + bodyBytes;
    if (frameBytes > limits.frameBytesMax) {
      counters.droppedTooLarge++;
      return false;
    }
    const goesAtOnce = isUrgent(payload);
    if (goesAtOnce ? this.#isFullForUrgent(frameBytes) : this.#isFull(frameBytes)) {
      counters.droppedQueueFull++;
      return false;
    }
    const timeMs = this.#services.logicalNowMs();
    if (goesAtOnce || this.#mayGoStraight(frameBytes)) {
      writePayload(this.#writer, payload, timeMs, bodyBytes);
    } else if (frameBytes > FRAGMENT_BYTES && this.#lane.repeats(payload)) {
      counters.droppedRepeated++;
      return false;
    } else {
      this.#lane.add(payload, timeMs, bodyBytes);
    }
    counters.framesSent++;
    return true;
  }

  /** Queues a frame of the handshake, ahead of all that waits for its turn; `flush` sends it. */
  sendFrame(write: (writer: FrameWriter, timeMs: number) => void): void {
    write(this.#writer, this.#services.logicalNowMs());
    this.#services.counters.framesSent++;
  }

  /** Hands what may go now to the socket, in one write unless something waits in the lane. */
  flush(): void {
    if (this.#isClosed) {
      return;
    }
    // Before the lane: what is ordered and went straight came before all that waits there.
    const bytes = this.#writer.pendingBytes;
    if (bytes > 0) {
      this.#write(this.#writer.take(), bytes);
    }
    if (this.#lane.bytes > 0) {
      this.#feed();
    }
  }

  /** Nothing leaves the lane until `release`; what is urgent goes. */
  hold(): void {
    this.#isHeld = true;
  }

  release(): void {
    this.#isHeld = false;
    this.flush();
  }

  /** Flushes, and calls `done` when everything is in the socket. No more may be queued. */
  drain(done: () => void): void {
    this.#onDrained = done;
    this.release();
    this.#tellDrained();
  }

  /** Forgets what waits in the lane, also the rest of a frame that has begun: the link is about to end. */
  dropOrdered(): void {
    this.#lane.drop();
  }

  /** The socket is closed. */
  close(): void {
    this.#isClosed = true;
    this.#onDrained = null;
    this.#lane.drop();
  }

  /** The socket holds something of which the peer has taken nothing for `stallTimeoutMs`. */
  isStalled(nowMs: number): boolean {
    const { stallTimeoutMs } = this.#services.limits;
    return this.#socket.writableLength > 0 && nowMs - this.#progressAtMs >= stallTimeoutMs;
  }

  /** What is ahead of the next urgent frame. */
  get #aheadBytes(): number {
    return this.#writer.pendingBytes + this.#socket.writableLength;
  }

  #isFullForUrgent(frameBytes: number): boolean {
    const aheadBytes = this.#aheadBytes;
    return aheadBytes > 0 && aheadBytes + frameBytes > this.#services.limits.queueBytesMax;
  }

  #isFull(frameBytes: number): boolean {
    const { queueBytesMax, socketBytesLow } = this.#services.limits;
    const aheadBytes = this.#aheadBytes;
    const isFirst = this.#lane.bytes === 0 && aheadBytes <= Math.min(socketBytesLow, queueBytesMax);
    return !isFirst && aheadBytes + this.#lane.bytes + frameBytes > queueBytesMax;
  }

  /** A small frame with nothing before it that it would have to wait for. */
  #mayGoStraight(frameBytes: number): boolean {
    return (
      frameBytes <= FRAGMENT_BYTES &&
      this.#lane.bytes === 0 &&
      !this.#isHeld &&
      this.#aheadBytes < this.#services.limits.socketBytesLow
    );
  }

  #feed(): void {
    const { counters, limits } = this.#services;
    while (
      this.#lane.bytes > 0 &&
      !this.#isHeld &&
      this.#socket.writableLength < limits.socketBytesLow
    ) {
      const { parts, isPiece } = this.#lane.take(this.#services.logicalNowMs());
      let bytes = 0;
      for (const part of parts) {
        bytes += part.length;
      }
      if (isPiece) {
        counters.fragmentsSent++;
      }
      this.#write(parts, bytes);
    }
    this.#tellDrained();
  }

  #write(parts: readonly Uint8Array[], bytes: number): void {
    const socket = this.#socket;
    this.#services.counters.bytesSent += bytes;
    if (socket.writableLength === 0) {
      this.#progressAtMs = this.#services.clock.nowMs();
    }
    if (parts.length === 1) {
      socket.write(parts[0], this.#onWritten);
      return;
    }
    socket.cork();
    const last = parts.length - 1;
    for (let i = 0; i < last; i++) {
      socket.write(parts[i]);
    }
    socket.write(parts[last], this.#onWritten);
    socket.uncork();
  }

  #tellDrained(): void {
    const done = this.#onDrained;
    if (done !== null && this.#lane.bytes === 0) {
      this.#onDrained = null;
      done();
    }
  }

  readonly #onWritten = (): void => {
    this.#progressAtMs = this.#services.clock.nowMs();
    if (this.#lane.bytes > 0) {
      this.flush();
    }
  };
}
