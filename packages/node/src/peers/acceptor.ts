/**
 * The peer port: takes connections, lets through only those with a node's certificate of our authority (S31).
 *
 * Every connection that has not said an acceptable hello counts against one limit, so that strangers can cost this
 * node only so much.
 */
import { createServer as createTcpServer } from "node:net";
import type { AddressInfo, Server as TcpServer, Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import type { Server as TlsServer, TLSSocket } from "node:tls";
import type { X509Certificate } from "node:crypto";
import { formatHostPort } from "../config/host-port.ts";
import { refusalOfTlsError } from "./connection-refusal.ts";
import type { ConnectionRefusal } from "./connection-refusal.ts";
import { PeerError } from "./errors.ts";
import { PeerLink } from "./link.ts";
import type { LinkHandlers, LinkServices } from "./link.ts";
import type { PeerGate } from "./peer-gate.ts";

export interface AcceptorHandlers extends LinkHandlers {
  /** A connection that did not become a link, and not because this node refused it. */
  onHandshakeFailed(remote: string, error: Error): void;
  /** This node refused a connection before its hello. */
  onConnectionRefused(
    remote: string,
    refusal: ConnectionRefusal,
    certificate: X509Certificate | null,
  ): void;
}

export class PeerAcceptor {
  readonly #gate: PeerGate;
  readonly #services: LinkServices;
  readonly #handlers: AcceptorHandlers;
  readonly #tls: TlsServer;
  readonly #tcp: TcpServer;
  readonly #connections = new Set<Socket>();
  readonly #links = new Set<PeerLink>();
  #openLinks = 0;

  constructor(gate: PeerGate, services: LinkServices, handlers: AcceptorHandlers) {
    this.#gate = gate;
    this.#services = services;
    this.#handlers = handlers;
    this.#tls = createTlsServer({
      ...gate.serverOptions(),
      requestCert: true,
      // The gate judges: it knows the reason, and has the certificate for the trail.
      rejectUnauthorized: false,
      handshakeTimeout: services.limits.handshakeTimeoutMs,
    });
    this.#tls.on("secureConnection", (socket) => {
      this.#begin(socket);
    });
    this.#tls.on("tlsClientError", (error, socket) => {
      services.counters.handshakesFailed++;
      const refusal = refusalOfTlsError(error);
      if (refusal === null) {
        handlers.onHandshakeFailed(remoteOf(socket), error);
      } else {
        handlers.onConnectionRefused(remoteOf(socket), refusal, null);
      }
      socket.destroy();
    });
    // A plain listener in front of TLS, so that a flood is turned away before it costs any cryptography.
    this.#tcp = createTcpServer({ noDelay: true }, (socket) => {
      this.#accepted(socket);
    });
  }

  get links(): ReadonlySet<PeerLink> {
    return this.#links;
  }

  /**
   * Opens the port and returns the address it really has (port 0 picks a free one).
   * @throws PeerError listen
   */
  listen(host: string, port: number): Promise<AddressInfo> {
    return new Promise((resolve, reject) => {
      const onError = (error: NodeJS.ErrnoException): void => {
        reject(new PeerError("listen", listenMessage(host, port, error), { cause: error }));
      };
      this.#tcp.once("error", onError);
      this.#tcp.listen({ host, port }, () => {
        this.#tcp.off("error", onError);
        this.#tcp.on("error", (error) => {
          // Transient (no file descriptors): the listener goes on, the connection is lost.
          this.#handlers.onHandshakeFailed("?", error);
        });
        resolve(this.#tcp.address() as AddressInfo);
      });
    });
  }

  /** New connections are shown the certificate of now. */
  renewCertificate(): void {
    this.#tls.setSecureContext(this.#gate.serverOptions());
  }

  /** A link said an acceptable hello and no longer counts as a stranger. */
  opened(): void {
    this.#openLinks++;
    this.#services.counters.linksAccepted++;
  }

  /** Takes no more connections and ends those there are, in order. */
  close(): Promise<void> {
    for (const link of this.#links) {
      link.end(null);
    }
    for (const socket of this.#connections) {
      if (![...this.#links].some((link) => link.remote === remoteOf(socket))) {
        socket.destroy();
      }
    }
    return new Promise((resolve) => {
      if (!this.#tcp.listening) {
        resolve();
        return;
      }
      this.#tcp.close(() => {
        resolve();
      });
    });
  }

  #accepted(socket: Socket): void {
    const { counters, limits } = this.#services;
    if (this.#connections.size - this.#openLinks >= limits.pendingHandshakesMax) {
      counters.handshakesRefused++;
      socket.on("error", () => undefined);
      socket.destroy();
      return;
    }
    this.#connections.add(socket);
    socket.once("close", () => {
      this.#connections.delete(socket);
    });
    this.#tls.emit("connection", socket);
  }

  #begin(socket: TLSSocket): void {
    const remote = remoteOf(socket);
    const judged = this.#gate.judge(socket);
    if (judged.refusal !== null) {
      this.#services.counters.handshakesFailed++;
      socket.on("error", () => undefined);
      socket.destroy();
      this.#handlers.onConnectionRefused(remote, judged.refusal, judged.certificate);
      return;
    }
    const options = { certificates: judged.certificates, receivesPayload: true };
    this.#links.add(new PeerLink(socket, options, this.#services, this.#linkHandlers()));
  }

  #linkHandlers(): LinkHandlers {
    return {
      ...this.#handlers,
      onEnded: (link, error) => {
        this.#links.delete(link);
        if (link.wasOpen) {
          this.#openLinks--;
        }
        this.#handlers.onEnded(link, error);
      },
    };
  }
}

function remoteOf(socket: Socket): string {
  return `${socket.remoteAddress ?? "?"}:${socket.remotePort ?? "?"}`;
}

function listenMessage(host: string, port: number, error: NodeJS.ErrnoException): string {
  const address = formatHostPort({ host, port });
  switch (error.code) {
    case "EADDRINUSE":
      return `The peer port ${address} is taken by another program: free it or set peer-port.`;
    case "EADDRNOTAVAIL":
      return `The peer address ${address} is not one of this machine: set peer-bind.`;
    case "EACCES":
      return `This user may not open the peer port ${address}: choose one above 1023.`;
    default:
      return `The peer port ${address} can not be opened: ${error.message}.`;
  }
}
