/**
 * One TLS connection to another node, from its hello to its end.
 *
 *   handshake ── open(ends) ──> open ── close / error / refusal ──> ended
 *
 * In the handshake only a hello or a refusal may come, and only small ones. An open link takes payload frames in
 * one direction: the node that dialed sends, the node that accepted receives. Whatever breaks the rules ends
 * this link and nothing else.
 */
import type { TLSSocket } from "node:tls";
import type { PeerPayload } from "../replica/transport.ts";
import { PeerError } from "./errors.ts";
import {
  FRAGMENT_BYTES,
  FrameKind,
  GROUP_ID,
  HANDSHAKE_FRAME_BYTES_MAX,
  HEADER_BYTES,
  type LinkEnds,
} from "./frame.ts";
import { FrameDecoder } from "./frame-decoder.ts";
import type { FrameSink } from "./frame-decoder.ts";
import { FrameReader } from "./frame-reader.ts";
import { readHello, writeHello } from "./hello.ts";
import type { Hello } from "./hello.ts";
import { OutboundQueue } from "./outbound-queue.ts";
import type { OutboundServices } from "./outbound-queue.ts";
import { readPayload } from "./payload-codec.ts";
import type { LinkCertificates } from "./peer-gate.ts";
import { readRefusal, writeRefusal } from "./refusal.ts";
import type { Refusal } from "./refusal.ts";

/** A refused peer gets this long to read why before the connection is torn down. */
const LINGER_MS = 1000;

export interface LinkHandlers {
  /** The peer's hello: the first, and each later one. */
  onHello(link: PeerLink, hello: Hello): void;
  /** The peer will not talk to this node. The link ends. */
  onRefusal(link: PeerLink, refusal: Refusal): void;
  /** The peer did not say hello in time. The link ends. */
  onSilent(link: PeerLink): void;
  /** The peer broke the rules of the link and is told so. The link ends. */
  onBroken(link: PeerLink, refusal: Refusal): void;
  onPayload(link: PeerLink, payload: PeerPayload, senderTimeMs: number): void;
  /** Told once. `error` is null when the peer ended the link in order. */
  onEnded(link: PeerLink, error: Error | null): void;
}

export type LinkServices = OutboundServices;

export class PeerLink implements FrameSink {
  readonly certificates: LinkCertificates;
  readonly remote: string;
  /** Fulfilled when the connection is closed. */
  readonly ended: Promise<void>;
  /** The peer's last hello. */
  hello: Hello | null = null;
  /** A newer link has taken its place; it only delivers what is still on it. */
  isSuperseded = false;
  /** The peer is none of the members and wants to be one: it is heard, and nothing is sent to it or taken from it. */
  isAsking = false;
  readonly #socket: TLSSocket;
  readonly #services: LinkServices;
  readonly #handlers: LinkHandlers;
  readonly #receivesPayload: boolean;
  readonly #decoder: FrameDecoder;
  readonly #reader = new FrameReader();
  readonly #outbound: OutboundQueue;
  #ends: LinkEnds | null = null;
  #ending = false;
  #ended = false;
  #error: Error | null = null;
  #cancelTimer: () => void;

  /** Takes over a socket whose TLS handshake is done and whose certificate chain was verified. */
  constructor(
    socket: TLSSocket,
    options: { readonly certificates: LinkCertificates; readonly receivesPayload: boolean },
    services: LinkServices,
    handlers: LinkHandlers,
  ) {
    this.#socket = socket;
    this.certificates = options.certificates;
    this.remote = `${socket.remoteAddress ?? "?"}:${socket.remotePort ?? "?"}`;
    this.#receivesPayload = options.receivesPayload;
    this.#services = services;
    this.#handlers = handlers;
    this.#decoder = new FrameDecoder(HANDSHAKE_FRAME_BYTES_MAX, this);
    this.#outbound = new OutboundQueue(socket, services);
    this.#cancelTimer = services.clock.after(services.limits.handshakeTimeoutMs, () => {
      services.counters.handshakesFailed++;
      handlers.onSilent(this);
      this.destroy(new Error("the peer did not say hello in time"));
    });
    socket.setNoDelay(true);
    socket.setKeepAlive(true, services.limits.keepAliveIdleMs);
    socket.on("data", (chunk: Buffer) => {
      this.#received(chunk);
    });
    socket.on("error", (error) => {
      this.#error ??= error;
    });
    this.ended = new Promise((resolve) => {
      socket.on("close", () => {
        this.#finish();
        resolve();
      });
    });
  }

  /** Which end began it. */
  get side(): "dialed" | "accepted" {
    return this.#receivesPayload ? "accepted" : "dialed";
  }

  get isOpen(): boolean {
    return this.#ends !== null && !this.#ending;
  }

  /** Takes nothing more, and is on its way out. */
  get isEnding(): boolean {
    return this.#ending;
  }

  /** Was the peer's hello ever accepted, also when the link has ended since. */
  get wasOpen(): boolean {
    return this.#ends !== null;
  }

  /** Bytes that wait for this peer, in frames not flushed and in the socket. */
  get queuedBytes(): number {
    return this.#outbound.queuedBytes;
  }

  /** The peer is who it should be: payload may flow. */
  open(ends: LinkEnds): void {
    this.#ends = ends;
    this.#cancelTimer();
    const { frameBytesMax } = this.#services.limits;
    this.#decoder.setFrameBytesMax(Math.min(frameBytesMax, FRAGMENT_BYTES));
    if (this.#receivesPayload) {
      this.#decoder.allowFragments(frameBytesMax);
    }
  }

  sayHello(hello: Hello): void {
    if (!this.#ending) {
      this.#outbound.sendFrame((writer, timeMs) => {
        writeHello(writer, hello, timeMs);
      });
      this.flush();
    }
  }

  /** Tells the peer why not, and ends the link; what it still sends, or was to be sent, is thrown away. */
  refuse(refusal: Refusal): void {
    if (this.#ending) {
      return;
    }
    this.#services.counters.refusalsSent[refusal.reason]++;
    this.#outbound.dropOrdered();
    this.#outbound.sendFrame((writer, timeMs) => {
      writeRefusal(writer, refusal, timeMs);
    });
    this.end(new PeerError("outOfOrder", `refused (${refusal.reason}): ${refusal.text}`));
  }

  /**
   * Queues a frame; `flush` sends it. False when the link is not open, or its queue does not take it (OutboundQueue).
   * @throws PeerError notEncodable for what the format can not express.
   */
  send(payload: PeerPayload): boolean {
    if (!this.isOpen) {
      this.#services.counters.droppedNoLink++;
      return false;
    }
    return this.#outbound.send(payload);
  }

  /** Hands everything queued that may go now to the socket. */
  flush(): void {
    this.#outbound.flush();
  }

  /**
   * Takes the place of `before`, in order: what is sent from here on, but for what may overtake, waits until the peer
   * has read everything that was sent on the link before and has closed it.
   */
  succeed(before: PeerLink): void {
    this.#outbound.hold();
    before.isSuperseded = true;
    before.end(null, this.#services.limits.stallTimeoutMs);
    void before.ended.then(() => {
      this.#outbound.release();
    });
  }

  /** Ends a link whose peer takes nothing though something waits: a frozen process or a dead machine. */
  endIfStalled(nowMs: number): void {
    const { counters, limits } = this.#services;
    if (this.#outbound.isStalled(nowMs)) {
      counters.linksStalled++;
      this.destroy(new Error(`the peer took nothing for ${limits.stallTimeoutMs} ms`));
    }
  }

  /** Sends what is queued, then closes in order; the peer has `lingerMs` to take it. */
  end(reason: Error | null, lingerMs: number = LINGER_MS): void {
    if (this.#ended) {
      return;
    }
    const isFirst = !this.#ending;
    this.#cancelTimer();
    this.#cancelTimer = this.#services.clock.after(lingerMs, () => {
      this.#socket.destroy();
    });
    if (isFirst) {
      this.#ending = true;
      this.#error ??= reason;
      this.#decoder.stop();
      this.#outbound.drain(() => {
        this.#socket.end();
      });
    }
  }

  /** Closes at once. */
  destroy(reason: Error): void {
    this.#ending = true;
    this.#error ??= reason;
    this.#decoder.stop();
    this.#outbound.close();
    this.#socket.destroy();
  }

  /** From the decoder; see FrameSink. */
  onFragment(): void {
    this.#services.counters.fragmentsReceived++;
  }

  /** From the decoder; see FrameSink. */
  onFrame(
    header: { readonly kind: number; readonly group: number; readonly senderTimeMs: number },
    buffer: Buffer,
    start: number,
    end: number,
  ): void {
    this.#services.counters.framesReceived++;
    if (header.group !== GROUP_ID) {
      throw new PeerError("wrongGroup", `A frame is for group ${header.group}.`);
    }
    const reader = this.#reader;
    reader.open(buffer, start, end);
    if (header.kind === FrameKind.Hello || header.kind === FrameKind.Refusal) {
      this.#onHandshakeFrame(header.kind, end - start);
      return;
    }
    const ends = this.#ends;
    if (ends === null || !this.#receivesPayload) {
      throw new PeerError(
        "outOfOrder",
        `A frame of kind ${header.kind} came ${ends === null ? "before the hello" : "against the direction"}.`,
      );
    }
    const payload = readPayload(header.kind, reader, ends);
    this.#handlers.onPayload(this, payload, header.senderTimeMs);
  }

  #onHandshakeFrame(kind: number, bodyBytes: number): void {
    if (HEADER_BYTES + bodyBytes > HANDSHAKE_FRAME_BYTES_MAX) {
      throw new PeerError("frameTooLarge", `A handshake frame of ${bodyBytes} bytes is too large.`);
    }
    if (kind === FrameKind.Refusal) {
      const refusal = readRefusal(this.#reader);
      this.#services.counters.refusalsReceived[refusal.reason]++;
      this.#handlers.onRefusal(this, refusal);
      this.end(
        new PeerError("outOfOrder", `refused by the peer (${refusal.reason}): ${refusal.text}`),
      );
      return;
    }
    const hello = readHello(this.#reader);
    const before = this.hello;
    if (before !== null && (before.nodeId !== hello.nodeId || before.name !== hello.name)) {
      throw new PeerError(
        "outOfOrder",
        `"${before.name}" turned into "${hello.name}" on an open link.`,
      );
    }
    this.hello = hello;
    this.#handlers.onHello(this, hello);
  }

  #received(chunk: Buffer): void {
    this.#services.counters.bytesReceived += chunk.length;
    if (this.#ending) {
      return;
    }
    try {
      this.#decoder.push(chunk);
    } catch (error) {
      if (!(error instanceof PeerError)) {
        throw error;
      }
      this.#services.counters.protocolErrors++;
      this.#error ??= error;
      const reason = error.code === "protocolVersion" ? "protocolVersion" : "badFrame";
      const refusal = { reason, text: error.message } as const;
      this.#handlers.onBroken(this, refusal);
      this.refuse(refusal);
    }
  }

  #finish(): void {
    if (this.#ended) {
      return;
    }
    this.#ended = true;
    this.#ending = true;
    this.#cancelTimer();
    this.#decoder.stop();
    this.#outbound.close();
    this.#handlers.onEnded(this, this.#error);
  }
}
