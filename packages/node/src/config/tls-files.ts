/**
 * Which files each port of a node takes its certificates from. Peers use those of clients unless they have their own;
 * with authorities of their own they have their own revocation lists too.
 */
import type { NodeConfig, TlsConfig } from "./node-config.ts";

/** Paths as they are given to certificates/; null where there is none. */
export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
  readonly keyPassphraseFile: string | null;
  /** Of the other side: null with a directory or when nobody is asked for a certificate. */
  readonly caFile: string | null;
  readonly caDirectory: string | null;
  readonly crlFile: string | null;
}

/** The files for clients (RESP over TLS, HTTP), or null: there is no certificate. */
export function clientTlsFiles(config: TlsConfig): TlsFiles | null {
  if (config.tlsCertFile === null || config.tlsKeyFile === null) return null;
  return {
    certFile: config.tlsCertFile,
    keyFile: config.tlsKeyFile,
    keyPassphraseFile: config.tlsKeyPassphraseFile,
    caFile: config.tlsCaCertFile,
    caDirectory: config.tlsCaCertDirectory,
    crlFile: config.tlsCrlFile,
  };
}

/**
 * The files for links to other nodes; null for none. A cluster of one has them only when they were given for that
 * (peer-tls-cert-file): then others may join it. Certificates for clients alone open no port for nodes.
 */
export function peerTlsFiles(config: NodeConfig): TlsFiles | null {
  if (config.peers.length === 0 && config.peerTlsCertFile === null) return null;
  const certFile = config.peerTlsCertFile ?? config.tlsCertFile;
  const keyFile = config.peerTlsKeyFile ?? config.tlsKeyFile;
  if (certFile === null || keyFile === null) return null;
  const ownKey = config.peerTlsKeyFile !== null;
  const ownAuthorities =
    config.peerTlsCaCertFile !== null || config.peerTlsCaCertDirectory !== null;
  return {
    certFile,
    keyFile,
    keyPassphraseFile:
      config.peerTlsKeyPassphraseFile ?? (ownKey ? null : config.tlsKeyPassphraseFile),
    caFile: ownAuthorities ? config.peerTlsCaCertFile : config.tlsCaCertFile,
    caDirectory: ownAuthorities ? config.peerTlsCaCertDirectory : config.tlsCaCertDirectory,
    crlFile: config.peerTlsCrlFile ?? (ownAuthorities ? null : config.tlsCrlFile),
  };
}
