/**
 * How TLS is spoken to clients (S36): versions, ciphers, sessions. One place for the RESP and the HTTP port.
 *
 * Never: versions below 1.2, renegotiation, compression (OpenSSL 3 has none unless asked), ciphers without forward secrecy
 * unless somebody names them.
 */
import { constants } from "node:crypto";
import type { SecureContextOptions } from "node:tls";
import type { LoadedCredentials } from "../certificates/live-credentials.ts";
import type { TlsConfig } from "../config/node-config.ts";

/** Elliptic-curve Diffie-Hellman with authenticated encryption; fastest first where the server may choose. */
const DEFAULT_CIPHERS: string = [
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ECDHE-RSA-CHACHA20-POLY1305",
].join(":");
const DEFAULT_CIPHERSUITES =
  "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
/** Sessions of another port or program that has the same ticket keys by mistake are not taken. */
const SESSION_CONTEXT = "ferrite-clients";

/** Settings that change how new connections are made. */
export const TLS_CONTEXT_FIELDS: readonly (keyof TlsConfig)[] = [
  "tlsAuthClients",
  "tlsProtocols",
  "tlsCiphers",
  "tlsCiphersuites",
  "tlsPreferServerCiphers",
  "tlsSessionCaching",
  "tlsSessionCacheTimeoutSeconds",
];

/** Whether clients are asked for a certificate. */
export function asksForCertificates(
  config: Pick<TlsConfig, "tlsAuthClients">,
  credentials: Pick<LoadedCredentials, "hasAuthorities">,
): boolean {
  return credentials.hasAuthorities && config.tlsAuthClients !== "no";
}

/** The same for RESP and HTTP: own certificate, versions and ciphers. No authorities, no sessions. */
export function serverContextOptions(
  config: TlsConfig,
  credentials: LoadedCredentials,
): SecureContextOptions {
  const { cert, key } = credentials.contextOptions;
  const versions = config.tlsProtocols;
  const ciphers = config.tlsCiphers === "" ? DEFAULT_CIPHERS : config.tlsCiphers;
  const suites = config.tlsCiphersuites === "" ? DEFAULT_CIPHERSUITES : config.tlsCiphersuites;
  return {
    cert,
    key,
    minVersion: versions.includes("TLSv1.2") ? "TLSv1.2" : "TLSv1.3",
    maxVersion: versions.includes("TLSv1.3") ? "TLSv1.3" : "TLSv1.2",
    ciphers: `${suites}:${ciphers}`,
    honorCipherOrder: config.tlsPreferServerCiphers,
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
  };
}

/** For the RESP port, with authorities where clients are asked, and sessions that `ticketKeys` (48 bytes) can open again. */
export function clientContextOptions(
  config: TlsConfig,
  credentials: LoadedCredentials,
  ticketKeys: Buffer,
): SecureContextOptions {
  const options = serverContextOptions(config, credentials);
  const { ca } = credentials.contextOptions;
  const sessions = config.tlsSessionCaching ? 0 : constants.SSL_OP_NO_TICKET;
  return {
    ...options,
    ...(asksForCertificates(config, credentials) && ca !== undefined ? { ca } : {}),
    secureOptions: (options.secureOptions ?? 0) | sessions,
    sessionIdContext: SESSION_CONTEXT,
    sessionTimeout: config.tlsSessionCacheTimeoutSeconds,
    ticketKeys,
  };
}
