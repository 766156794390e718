/** One attempt to reach a peer: from the TCP connection to a TLS link whose certificate is the peer's. */
import { isIP } from "node:net";
import { connect } from "node:tls";
import type { TLSSocket } from "node:tls";
import type { X509Certificate } from "node:crypto";
import { parseHostPort } from "../config/host-port.ts";
import type { ConnectionRefusal } from "./connection-refusal.ts";
import { PeerError } from "./errors.ts";
import type { LinkServices } from "./link.ts";
import type { LinkCertificates, PeerGate } from "./peer-gate.ts";

export interface DialFailure {
  readonly error: Error;
  readonly address: string;
  /** Nobody listens at the address. */
  readonly refused: boolean;
  /** This node does not take the peer's certificate, or has none that is good; null when it did not come to that. */
  readonly refusal: ConnectionRefusal | null;
  readonly certificate: X509Certificate | null;
}

interface DialTarget {
  readonly name: string;
  /** host:port */
  readonly address: string;
  /** For the TCP connection alone; null: there is time until the handshake has to be done. */
  readonly connectTimeoutMs: number | null;
}

/** Told once, and not at all after `cancel`. */
interface DialOutcome {
  connected(socket: TLSSocket, certificates: LinkCertificates): void;
  failed(failure: DialFailure): void;
}

export class DialAttempt {
  readonly #target: DialTarget;
  readonly #gate: PeerGate;
  readonly #services: LinkServices;
  readonly #outcome: DialOutcome;
  #socket: TLSSocket | null = null;
  #cancelTimer: () => void = () => undefined;
  #cancelConnectTimer: () => void = () => undefined;
  #reachedPeer = false;
  #done = false;

  constructor(target: DialTarget, gate: PeerGate, services: LinkServices, outcome: DialOutcome) {
    this.#target = target;
    this.#gate = gate;
    this.#services = services;
    this.#outcome = outcome;
  }

  /** The outcome may be told before this returns. */
  start(): void {
    this.#services.counters.dials++;
    const target = parseHostPort(this.#target.address);
    const own = this.#gate.ownRefusal();
    if (target === null) {
      const text = `"${this.#target.address}" is not host:port.`;
      this.#fail(new PeerError("badOption", text));
    } else if (own === null) {
      this.#connect(target.host, target.port);
    } else {
      this.#fail(new PeerError("peerCertificate", own.text), own);
    }
  }

  cancel(): void {
    this.#finish();
    this.#abandonSocket();
  }

  #connect(host: string, port: number): void {
    const { name } = this.#target;
    const socket = connect({
      host,
      port,
      secureContext: this.#gate.secureContext(),
      ...(isIP(name) === 0 ? { servername: name } : {}),
      // The gate judges: it knows the reason, and has the certificate for the trail.
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
    });
    this.#socket = socket;
    const { clock, limits } = this.#services;
    this.#cancelTimer = clock.after(limits.handshakeTimeoutMs, () => {
      this.#fail(new Error(`no TLS handshake within ${limits.handshakeTimeoutMs} ms`));
    });
    const { connectTimeoutMs } = this.#target;
    if (connectTimeoutMs !== null) {
      this.#cancelConnectTimer = clock.after(connectTimeoutMs, () => {
        this.#fail(new Error(`no connection within ${connectTimeoutMs} ms`));
      });
    }
    socket.once("connect", () => {
      this.#reachedPeer = true;
      this.#cancelConnectTimer();
    });
    socket.once("error", this.#fail);
    socket.once("close", this.#onClose);
    socket.once("secureConnect", () => {
      if (!this.#done) this.#judge(socket);
    });
  }

  #judge(socket: TLSSocket): void {
    const judged = this.#gate.judge(socket);
    if (judged.refusal !== null) {
      this.#refuse(judged.refusal, judged.certificate);
      return;
    }
    const { peer } = judged.certificates;
    const stranger = this.#gate.identityRefusal(peer, this.#target.name);
    if (stranger !== null) {
      this.#refuse(stranger, peer);
      return;
    }
    this.#finish();
    socket.off("error", this.#fail);
    socket.off("close", this.#onClose);
    this.#outcome.connected(socket, judged.certificates);
  }

  #refuse(refusal: ConnectionRefusal, certificate: X509Certificate | null): void {
    this.#fail(new PeerError("peerCertificate", refusal.text), refusal, certificate);
  }

  readonly #onClose = (): void => {
    this.#fail(new Error("the connection was closed"));
  };

  readonly #fail = (
    error: Error,
    refusal: ConnectionRefusal | null = null,
    certificate: X509Certificate | null = null,
  ): void => {
    if (this.#done) return;
    this.#finish();
    if (this.#reachedPeer) this.#services.counters.handshakesFailed++;
    this.#abandonSocket();
    const { address } = this.#target;
    this.#outcome.failed({ error, address, refused: isRefused(error), refusal, certificate });
  };

  #finish(): void {
    this.#done = true;
    this.#cancelTimer();
    this.#cancelConnectTimer();
  }

  #abandonSocket(): void {
    // A late error of a socket that was given up must not become an uncaught one.
    this.#socket?.on("error", () => undefined);
    this.#socket?.destroy();
  }
}

/** A name with several addresses fails with one error that holds the others. */
function isRefused(error: Error): boolean {
  if (error instanceof AggregateError && error.errors.length > 0) {
    return error.errors.every((each) => each instanceof Error && isRefused(each));
  }
  return (error as NodeJS.ErrnoException).code === "ECONNREFUSED";
}
