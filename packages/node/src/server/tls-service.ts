/**
 * Clients over TLS, put together: the listener's news turned into connections, users, numbers, log lines and records of the
 * trail.
 */
import type { TLSSocket } from "node:tls";
import { auditClient, auditEnds } from "../access/audit-client.ts";
import type { CertificateLogins } from "../access/certificate-login.ts";
import type { AuditTrail } from "../audit/audit-trail.ts";
import { connectionRefused, connectionRevoked } from "../audit/events.ts";
import type { CertificateRefusal, LiveCredentials } from "../certificates/live-credentials.ts";
import type { NodeConfig } from "../config/node-config.ts";
import { LogLimiter } from "../peers/log-limiter.ts";
import { refuseSocket, type ClientEnds } from "./client-ends.ts";
import type { ClientTls } from "./client-tls.ts";
import type { Connection } from "./connection.ts";
import type { Doorkeeper } from "./doorkeeper.ts";
import type { ServerCounters } from "./edge-context.ts";
import { HANDSHAKE_LOG_INTERVAL_MS } from "./limits.ts";
import type { ListenAddress, ListenOptions } from "./listener.ts";
import type { ServerLogger } from "./logger.ts";
import { isCertificateReason, type HandshakeFailure } from "./tls-failure.ts";
import { TlsListener } from "./tls-listener.ts";
import type { TlsStatistics } from "./tls-statistics.ts";

export interface TlsServiceOptions {
  readonly credentials: LiveCredentials;
  readonly logins: CertificateLogins;
}

/** What it needs of the server. */
export interface TlsServiceHost {
  readonly doorkeeper: Doorkeeper;
  readonly statistics: TlsStatistics;
  readonly counters: ServerCounters;
  readonly audit: AuditTrail;
  readonly logger: ServerLogger;
  readonly config: () => NodeConfig;
  readonly nowMs: () => number;
  readonly connections: () => ReadonlyMap<number, Connection>;
  /** Makes a connection of a client that was let in. */
  readonly serve: (socket: TLSSocket, ends: ClientEnds, tls: ClientTls) => Connection;
}

export class TlsService {
  readonly #host: TlsServiceHost;
  readonly #logins: CertificateLogins;
  readonly #listener: TlsListener<Connection>;
  readonly #logLimiter = new LogLimiter(HANDSHAKE_LOG_INTERVAL_MS);

  constructor({ credentials, logins }: TlsServiceOptions, host: TlsServiceHost) {
    this.#host = host;
    this.#logins = logins;
    this.#listener = new TlsListener<Connection>({
      credentials,
      config: host.config,
      logger: host.logger,
      nowMs: host.nowMs,
      connections: () => host.connections().values(),
      mayBegin: (ends, handshakes) => this.#mayBegin(ends, handshakes),
      onClient: (socket, ends, tls) => this.#onClient(socket, ends, tls),
      onFailed: (failure, ends, tls) => this.#onFailed(failure, ends, tls),
      onRefused: (connection, refusal) => this.#close(connection, refusal),
    });
  }

  /** See TlsListener.start. */
  start(options: ListenOptions): Promise<readonly ListenAddress[]> {
    return this.#listener.start(options);
  }

  stop(): Promise<void> {
    return this.#listener.stop();
  }

  applyConfig(changed: ReadonlySet<keyof NodeConfig>): void {
    this.#listener.applyConfig(changed);
  }

  /** Ends handshakes that take too long, and connections whose certificate has expired (tls-close-expired). */
  keepHouse(): void {
    this.#listener.closeOverdue();
    if (!this.#host.config().tlsCloseExpired) return;
    const nowMs = this.#host.nowMs();
    for (const connection of this.#host.connections().values()) {
      const certificate = connection.tls?.certificate ?? null;
      if (certificate === null || certificate.validUntilMs > nowMs) continue;
      this.#close(connection, { reason: "expired", text: "the certificate has expired" });
    }
  }

  #mayBegin(ends: ClientEnds, handshakes: number): boolean {
    const { counters, doorkeeper, connections } = this.#host;
    counters.connectionsReceived++;
    return !doorkeeper.isFull(ends, connections().size + handshakes);
  }

  #onClient(socket: TLSSocket, ends: ClientEnds, tls: ClientTls): void {
    const { statistics, doorkeeper, connections, serve } = this.#host;
    statistics.handshakes++;
    const { certificate } = tls;
    const hasNamedItself = certificate !== null && this.#logins.isOn;
    const refusal = doorkeeper.refuse({ ends, tls, hasNamedItself }, connections().size);
    if (refusal !== null) return refuseSocket(socket, refusal);
    const connection = serve(socket, ends, tls);
    const problem = certificate === null ? null : this.#logins.logIn(connection, certificate);
    if (problem !== null) connection.turnAway(problem);
  }

  /** A client that leaves in between is none to speak of: health checks of load balancers do nothing else. */
  #onFailed(failure: HandshakeFailure, ends: ClientEnds, tls: ClientTls | null): void {
    const { statistics, logger, audit, nowMs } = this.#host;
    const { reason, text } = failure;
    statistics.countFailure(reason);
    if (reason === "client") {
      logger.debug({ address: ends.address, reason: text }, "a TLS handshake was not finished");
      return;
    }
    const kind = isCertificateReason(reason) ? "certificate" : "tls";
    const told = { kind, reason: `TLS handshake: ${text}` } as const;
    audit.record(connectionRefused(auditEnds(ends, tls ?? { certificate: null }), told));
    const pass = this.#logLimiter.pass(reason, nowMs());
    if (pass === null) return;
    const hint = reason === "notTls" ? "TLS is spoken on this port: redis-cli --tls" : undefined;
    logger.warn(
      { address: ends.address, reason, text, suppressed: pass.suppressed, hint },
      "a TLS handshake failed",
    );
  }

  #close(connection: Connection, { text }: CertificateRefusal): void {
    if (!this.#host.connections().has(connection.id)) return;
    const { statistics, audit, logger } = this.#host;
    statistics.certificatesClosed++;
    audit.record(connectionRevoked(auditClient(connection), `its certificate: ${text}`));
    logger.warn(
      { client: connection.id, address: connection.address, reason: text },
      "closing a client whose certificate is not good any more",
    );
    connection.close(false);
  }
}
