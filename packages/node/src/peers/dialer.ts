/**
 * Keeps one outgoing link to one peer: dials, waits, dials again.
 *
 *   waiting ──> dialing ──> handshake ──> open ──lost──> dialing (at once)
 *      ^____________________failed___________|
 *
 * A link that broke is dialed again at once: if the peer's process is gone the answer is a refused connection within
 * a fraction of a millisecond, and an election can start without waiting for a timeout.
 */
import { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { connect } from "node:tls";
import type { PeerCertificate, SecureContext, TLSSocket } from "node:tls";
import { parseHostPort } from "../config/host-port.ts";
import { PeerError } from "./errors.ts";
import type { Hello } from "./hello.ts";
import { PeerLink } from "./link.ts";
import type { LinkHandlers, LinkServices } from "./link.ts";
import { requireNodeCertificate } from "./peer-certificate.ts";
import { reconnectDelayMs } from "./reconnect-delay.ts";

export interface DialerHandlers extends LinkHandlers {
  /** What to say first on a new link. */
  currentHello(): Hello;
  /** An attempt failed before a link was there. */
  onDialFailed(name: string, failure: DialFailure): void;
}

export interface DialFailure {
  readonly error: Error;
  readonly address: string;
  /** Nobody listens at the address. */
  readonly refused: boolean;
}

export class PeerDialer {
  readonly name: string;
  #address: string;
  readonly #secureContext: SecureContext;
  readonly #services: LinkServices & { random(): number };
  readonly #handlers: DialerHandlers;
  #stopped = false;
  /** Attempts in a row that did not open. */
  #failures = 0;
  /** Links in a row that opened and broke soon. */
  #quickBreaks = 0;
  #openedAtMs: number | null = null;
  #cancelWait: (() => void) | null = null;
  #dialing: TLSSocket | null = null;
  #link: PeerLink | null = null;

  constructor(
    peer: {
      readonly name: string;
      readonly address: string;
      readonly secureContext: SecureContext;
    },
    services: LinkServices & { random(): number },
    handlers: DialerHandlers,
  ) {
    this.name = peer.name;
    this.#address = peer.address;
    this.#secureContext = peer.secureContext;
    this.#services = services;
    this.#handlers = handlers;
  }

  /** The link in handshake or open, if there is one. */
  get link(): PeerLink | null {
    return this.#link;
  }

  /** Where the peer is dialed from now on. */
  set address(address: string) {
    this.#address = address;
  }

  get address(): string {
    return this.#address;
  }

  start(): void {
    this.#dialSoon(0);
  }

  /** There is news that the peer is up: do not wait out the delay. */
  dialNow(): void {
    if (this.#cancelWait !== null) {
      this.#cancelWait();
      this.#cancelWait = null;
      this.#dialSoon(0);
    }
  }

  /** The peer accepted us. */
  opened(): void {
    this.#openedAtMs = this.#services.clock.nowMs();
    this.#failures = 0;
  }

  /** No more dialing. The open link is ended in order. */
  stop(): void {
    this.#stopped = true;
    this.#cancelWait?.();
    this.#cancelWait = null;
    this.#dialing?.destroy();
    this.#link?.end(null);
  }

  #dialSoon(delayMs: number): void {
    if (this.#stopped) {
      return;
    }
    this.#cancelWait = this.#services.clock.after(delayMs, () => {
      this.#cancelWait = null;
      this.#dial();
    });
  }

  #dial(): void {
    this.#services.counters.dials++;
    const target = parseHostPort(this.#address);
    if (target === null) {
      this.#attemptFailed(new PeerError("badOption", `"${this.#address}" is not host:port.`));
      return;
    }
    const socket = connect({
      host: target.host,
      port: target.port,
      secureContext: this.#secureContext,
      ...(isIP(this.name) === 0 ? { servername: this.name } : {}),
      rejectUnauthorized: true,
      checkServerIdentity: (_host, certificate) => this.#identityError(certificate),
    });
    this.#dialing = socket;
    let failed = false;
    const fail = (error: Error): void => {
      if (!failed) {
        failed = true;
        cancelTimer();
        this.#services.counters.handshakesFailed += connected ? 1 : 0;
        this.#dialFailed(socket, error);
      }
    };
    const cancelTimer = this.#services.clock.after(this.#services.limits.handshakeTimeoutMs, () => {
      fail(new Error(`no TLS handshake within ${this.#services.limits.handshakeTimeoutMs} ms`));
    });
    const onClose = (): void => {
      fail(new Error("the connection was closed"));
    };
    let connected = false;
    socket.once("connect", () => {
      connected = true;
    });
    socket.once("error", fail);
    socket.once("close", onClose);
    socket.once("secureConnect", () => {
      if (failed || this.#stopped) {
        return;
      }
      cancelTimer();
      socket.off("error", fail);
      socket.off("close", onClose);
      this.#begin(socket);
    });
  }

  #begin(socket: TLSSocket): void {
    this.#dialing = null;
    const certificate = socket.getPeerX509Certificate();
    if (certificate === undefined || !socket.authorized || socket.getProtocol() !== "TLSv1.3") {
      this.#dialFailed(socket, new PeerError("peerCertificate", "The peer showed no certificate."));
      return;
    }
    const handlers: LinkHandlers = {
      onHello: (link, hello) => this.#handlers.onHello(link, hello),
      onRefusal: (link, refusal) => this.#handlers.onRefusal(link, refusal),
      onPayload: (link, payload, timeMs) => this.#handlers.onPayload(link, payload, timeMs),
      onEnded: (link, error) => {
        this.#linkEnded(link, error);
      },
    };
    const link = new PeerLink(
      socket,
      { certificate, receivesPayload: false },
      this.#services,
      handlers,
    );
    this.#link = link;
    link.sayHello(this.#handlers.currentHello());
  }

  #linkEnded(link: PeerLink, error: Error | null): void {
    this.#link = null;
    const { clock, limits } = this.#services;
    const openedAtMs = this.#openedAtMs;
    this.#openedAtMs = null;
    this.#handlers.onEnded(link, error);
    if (openedAtMs === null) {
      this.#failures++;
      this.#dialSoon(this.#delayMsAfter(this.#failures));
      return;
    }
    // A link that opens and breaks again and again must not be dialed in a tight loop.
    const held = clock.nowMs() - openedAtMs >= limits.reconnectDelayMaxMs;
    this.#quickBreaks = held ? 0 : this.#quickBreaks + 1;
    this.#dialSoon(this.#quickBreaks <= 1 ? 0 : this.#delayMsAfter(this.#quickBreaks - 1));
  }

  #dialFailed(socket: TLSSocket, error: Error): void {
    this.#dialing = null;
    // A late error of a socket that was given up must not become an uncaught one.
    socket.on("error", () => undefined);
    socket.destroy();
    if (!this.#stopped) {
      this.#attemptFailed(error);
    }
  }

  #attemptFailed(error: Error): void {
    this.#failures++;
    const refused = isRefused(error);
    this.#handlers.onDialFailed(this.name, { error, address: this.#address, refused });
    this.#dialSoon(this.#delayMsAfter(this.#failures));
  }

  #delayMsAfter(failures: number): number {
    return reconnectDelayMs(failures, this.#services.limits, this.#services.random());
  }

  /** Asked by TLS before the link counts as secure; the chain is verified besides. */
  #identityError(certificate: PeerCertificate): Error | undefined {
    try {
      requireNodeCertificate(new X509Certificate(certificate.raw), this.name);
      return undefined;
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }
}

/** A name with several addresses fails with one error that holds the others. */
function isRefused(error: Error): boolean {
  if (error instanceof AggregateError && error.errors.length > 0) {
    return error.errors.every((each) => each instanceof Error && isRefused(each));
  }
  return (error as NodeJS.ErrnoException).code === "ECONNREFUSED";
}
