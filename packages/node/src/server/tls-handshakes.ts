/**
 * Handshakes in progress: from an accepted TCP connection to one that can be served. Strangers cause them and they cost
 * a signature each, so there are limits to their number and time (S23, S36).
 *
 *   begin --> in progress --> onSecure
 *                 '--> failed, overdue, left --> onFailed
 *
 * A server of `node:tls` that does not listen itself makes the handshakes: it takes accepted sockets by its documented
 * "connection" event and works on their handles, without a layer of JavaScript streams between.
 */
import type { Socket } from "node:net";
import { createServer } from "node:tls";
import type { Server, TLSSocket, TlsOptions } from "node:tls";
import { PreAuthRegistry, type PreAuthLimits } from "../security/pre-auth-registry.ts";
import { placeOf, tcpEnds, type ClientEnds } from "./client-ends.ts";
import { handshakeFailure, type HandshakeFailure } from "./tls-failure.ts";

export interface HandshakeParts {
  /** timeoutMs is tls-handshake-timeout-ms. Asked every time. */
  readonly limits: () => PreAuthLimits;
  readonly nowMs: () => number;
  /** The handshake is done; nothing has been read of what the client sent behind it. */
  readonly onSecure: (socket: TLSSocket, ends: ClientEnds) => void;
  /** The connection is closed, or will be. */
  readonly onFailed: (failure: HandshakeFailure, ends: ClientEnds) => void;
}

interface Handshake {
  readonly id: number;
  readonly socket: Socket;
  readonly ends: ClientEnds;
}

export class TlsHandshakes {
  readonly #parts: HandshakeParts;
  readonly #registry: PreAuthRegistry;
  /** By both addresses, which tell connections apart. */
  readonly #inProgress = new Map<string, Handshake>();
  readonly #ids = new Map<number, Handshake>();
  #server: Server | null = null;
  /** Whose TCP connection is closing just now: the TLS server tells right behind it what was wrong. */
  #closing: Handshake | null = null;
  #nextId = 1;

  constructor(parts: HandshakeParts) {
    this.#parts = parts;
    this.#registry = new PreAuthRegistry(parts.limits);
  }

  get count(): number {
    return this.#inProgress.size;
  }

  /** From now on handshakes are made so; those in progress go on as they began. @throws Error when OpenSSL does not take it */
  use(options: TlsOptions): void {
    const server = createServer(options);
    server.on("secureConnection", (socket) => this.#succeeded(socket));
    server.on("tlsClientError", (error, socket) => this.#broke(error, socket));
    this.#server = server;
  }

  /** Takes over a connection that was accepted, which may be paused. */
  begin(socket: Socket, ends: ClientEnds): void {
    const server = this.#server;
    if (server === null || this.#registry.refusal(placeOf(ends)) !== null) {
      socket.destroy();
      const text = "more handshakes are in progress than a node takes part in";
      this.#parts.onFailed({ reason: "tooMany", text }, ends);
      return;
    }
    const handshake = { id: this.#nextId++, socket, ends };
    this.#inProgress.set(keyOf(ends), handshake);
    this.#ids.set(handshake.id, handshake);
    this.#registry.add(handshake.id, placeOf(ends), this.#parts.nowMs());
    // What becomes of it is told by the TLS socket and by "close".
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      this.#closing = handshake;
      process.nextTick(() => {
        if (this.#closing === handshake) this.#closing = null;
        this.#fail(handshake, { reason: "client", text: "the client left" });
      });
    });
    // Half a connection makes no handshake.
    socket.allowHalfOpen = false;
    server.emit("connection", socket);
  }

  /** Ends handshakes that take too long. To be called a few times a second. */
  closeOverdue(): void {
    for (const id of this.#registry.overdue(this.#parts.nowMs())) {
      const handshake = this.#ids.get(id);
      if (handshake === undefined) continue;
      const { timeoutMs } = this.#parts.limits();
      const text = `not done within ${timeoutMs} ms (tls-handshake-timeout-ms)`;
      this.#fail(handshake, { reason: "timeout", text });
      handshake.socket.destroy();
    }
  }

  /** Ends all of them. */
  stop(): void {
    this.#server = null;
    for (const handshake of this.#ids.values()) {
      this.#remove(handshake);
      handshake.socket.destroy();
    }
  }

  #succeeded(socket: TLSSocket): void {
    const handshake = this.#of(socket);
    if (handshake === null) {
      socket.destroy();
      return;
    }
    this.#remove(handshake);
    socket.allowHalfOpen = true;
    this.#parts.onSecure(socket, handshake.ends);
  }

  #broke(error: Error, socket: TLSSocket): void {
    // A certificate that was not verified ends the connection first, and a closed one has no addresses.
    const handshake = this.#of(socket) ?? this.#closing ?? this.#destroyed();
    if (handshake === null) return;
    this.#fail(handshake, handshakeFailure(error, socket.authorizationError));
    handshake.socket.destroy();
  }

  #of(socket: TLSSocket): Handshake | null {
    const ends = tcpEnds(socket);
    return ends === null ? null : (this.#inProgress.get(keyOf(ends)) ?? null);
  }

  /** Of an error inside of OpenSSL Node tells when the connection is destroyed and not closed yet. */
  #destroyed(): Handshake | null {
    for (const handshake of this.#ids.values()) if (handshake.socket.destroyed) return handshake;
    return null;
  }

  #fail(handshake: Handshake, failure: HandshakeFailure): void {
    if (this.#remove(handshake)) this.#parts.onFailed(failure, handshake.ends);
  }

  /** Whether it was in progress still. */
  #remove(handshake: Handshake): boolean {
    if (!this.#ids.delete(handshake.id)) return false;
    const key = keyOf(handshake.ends);
    if (this.#inProgress.get(key) === handshake) this.#inProgress.delete(key);
    this.#registry.remove(handshake.id);
    return true;
  }
}

function keyOf({ address, localAddress }: ClientEnds): string {
  return `${address} ${localAddress}`;
}
