/**
 * RESP over TLS: listens on tls-bind and tls-port, makes handshakes with the certificate in force, and looks at the
 * certificates of clients: when they come, on sessions that are resumed, and again while they are connected (S33 to S36).
 *
 *   TCP --> door (maxclients) --> handshake --> certificate good? --> served
 */
import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { X509Certificate } from "node:crypto";
import type { CredentialChange, LiveCredentials } from "../certificates/live-credentials.ts";
import type { CertificateRefusal } from "../certificates/live-credentials.ts";
import { presentedChain } from "../certificates/presented-chain.ts";
import type { NodeConfig } from "../config/node-config.ts";
import { CertificateReview } from "./certificate-review.ts";
import { refuseSocket, tcpEnds, type ClientEnds } from "./client-ends.ts";
import { clientCertificate, type ClientTls } from "./client-tls.ts";
import { REVIEW_SLICE_MS, TLS_HANDSHAKES_MAX, TLS_HANDSHAKES_PER_ADDRESS_MAX } from "./limits.ts";
import { Listener } from "./listener.ts";
import type { ListenAddress, ListenOptions } from "./listener.ts";
import type { ServerLogger } from "./logger.ts";
import { asksForCertificates, clientContextOptions, TLS_CONTEXT_FIELDS } from "./tls-context.ts";
import type { HandshakeFailure } from "./tls-failure.ts";
import { TlsHandshakes } from "./tls-handshakes.ts";

/** An open connection, as far as its certificate is concerned. */
export interface TlsConnection {
  readonly tls: ClientTls | null;
}

export interface TlsListenerParts<T extends TlsConnection> {
  readonly credentials: LiveCredentials;
  readonly config: () => NodeConfig;
  readonly logger: ServerLogger;
  readonly nowMs: () => number;
  readonly connections: () => Iterable<T>;
  /** A TCP connection has come: whether it may make a handshake. `handshakes`: those that are in progress. */
  readonly mayBegin: (ends: ClientEnds, handshakes: number) => boolean;
  /** A client is to be served. */
  readonly onClient: (socket: TLSSocket, ends: ClientEnds, tls: ClientTls) => void;
  readonly onFailed: (failure: HandshakeFailure, ends: ClientEnds, tls: ClientTls | null) => void;
  /** The certificate of an open connection is not good any more. */
  readonly onRefused: (connection: T, refusal: CertificateRefusal) => void;
}

/** What OpenSSL wants ticket keys to be. */
const TICKET_KEY_BYTES = 48;

export class TlsListener<T extends TlsConnection> {
  readonly #parts: TlsListenerParts<T>;
  readonly #handshakes: TlsHandshakes;
  readonly #review: CertificateReview<T>;
  #listener: Listener | null = null;
  #endListening: () => void = () => undefined;
  /** Sessions live as long as these: thrown away with every change of who is trusted. */
  #ticketKeys: Buffer = randomBytes(TICKET_KEY_BYTES);

  constructor(parts: TlsListenerParts<T>) {
    this.#parts = parts;
    this.#handshakes = new TlsHandshakes({
      limits: () => ({
        clientsMax: TLS_HANDSHAKES_MAX,
        clientsPerAddressMax: TLS_HANDSHAKES_PER_ADDRESS_MAX,
        timeoutMs: parts.config().tlsHandshakeTimeoutMs,
      }),
      nowMs: parts.nowMs,
      onSecure: (socket, ends) => this.#admit(socket, ends),
      onFailed: (failure, ends) => parts.onFailed(failure, ends, null),
    });
    this.#review = new CertificateReview({
      connections: parts.connections,
      examine: ({ certificate }) => this.#refusalOf(certificate?.chain ?? []),
      refuse: parts.onRefused,
      sliceMs: REVIEW_SLICE_MS,
    });
  }

  /** See Listener.start. `options.port` and hosts are tls-port and tls-bind. */
  async start(options: ListenOptions): Promise<readonly ListenAddress[]> {
    this.#use();
    this.#endListening = this.#parts.credentials.onChange((_now, change) => this.#changed(change));
    this.#listener = new Listener(options, this.#parts.logger, (socket) => this.#accept(socket));
    return await this.#listener.start();
  }

  /** Stops accepting, and ends handshakes. Clients that are served are not touched. */
  async stop(): Promise<void> {
    this.#endListening();
    this.#review.stop();
    await this.#listener?.stop();
    this.#handshakes.stop();
  }

  /** Takes over settings that have changed, for new connections; whether clients have to show a certificate for all. */
  applyConfig(changed: ReadonlySet<keyof NodeConfig>): void {
    if (!TLS_CONTEXT_FIELDS.some((field) => changed.has(field))) return;
    this.#rotateTicketKeys();
    this.#use();
    if (changed.has("tlsAuthClients")) this.#review.start();
  }

  /** To be called a few times a second. */
  closeOverdue(): void {
    this.#handshakes.closeOverdue();
  }

  #changed({ trust, revocations }: CredentialChange): void {
    // A session could bring somebody back who is not trusted any more, without showing a certificate.
    if (trust || revocations) this.#rotateTicketKeys();
    this.#use();
    if (trust || revocations) this.#review.start();
  }

  #rotateTicketKeys(): void {
    this.#ticketKeys = randomBytes(TICKET_KEY_BYTES);
  }

  #use(): void {
    const config = this.#parts.config();
    const credentials = this.#parts.credentials.current();
    const asks = asksForCertificates(config, credentials);
    this.#handshakes.use({
      ...clientContextOptions(config, credentials, this.#ticketKeys),
      requestCert: asks,
      rejectUnauthorized: asks && config.tlsAuthClients === "yes",
    });
  }

  #accept(socket: Socket): void {
    const ends = tcpEnds(socket);
    if (ends === null || !this.#parts.mayBegin(ends, this.#handshakes.count)) {
      socket.destroy();
      return;
    }
    this.#handshakes.begin(socket, ends);
  }

  /** The handshake is done. What OpenSSL has verified is verified again here: also on a session that was resumed. */
  #admit(socket: TLSSocket, ends: ClientEnds): void {
    socket.disableRenegotiation();
    const chain = presentedChain(socket);
    const refusal = this.#refusalOf(chain) ?? distrust(socket, chain);
    const tls = { certificate: chain.length === 0 ? null : clientCertificate(chain) };
    if (refusal === null) return this.#parts.onClient(socket, ends, tls);
    // Unread bytes would make the kernel drop the answer.
    socket.resume();
    refuseSocket(socket, Buffer.from(`-ERR TLS client certificate refused: ${refusal.text}\r\n`));
    this.#parts.onFailed(refusal, ends, tls);
  }

  #refusalOf(chain: readonly X509Certificate[]): CertificateRefusal | null {
    const config = this.#parts.config();
    const credentials = this.#parts.credentials.current();
    if (!asksForCertificates(config, credentials)) return null;
    if (chain.length > 0) return credentials.verify(chain, "client", this.#parts.nowMs());
    if (config.tlsAuthClients === "optional") return null;
    return { reason: "missing", text: "the client has shown no certificate" };
  }
}

/** What OpenSSL found wrong and let through because certificates are optional. */
function distrust(socket: TLSSocket, chain: readonly X509Certificate[]): CertificateRefusal | null {
  if (chain.length === 0 || socket.authorized) return null;
  return {
    reason: "untrusted",
    text: `it was not verified (${String(socket.authorizationError)})`,
  };
}
