/** Why a connection is refused before anything was said on it, or ended because its certificate is not good any more. */
import type { X509Certificate } from "node:crypto";
import { subjectOf } from "../certificates/name-text.ts";
import { REFUSAL_REASONS } from "./refusal.ts";
import type { RefusalReason } from "./refusal.ts";

/** Labels of metrics. Those of certificates, and what is wrong before there is a certificate. */
const CONNECTION_REFUSAL_REASONS = [
  "missing",
  "untrusted",
  "expired",
  "notYetValid",
  "revoked",
  "staleRevocationList",
  "wrongUse",
  "malformed",
  /** The certificate is good, but not one of the member it is used for. */
  "wrongIdentity",
  /** This node's own certificate has ended. */
  "ownExpired",
  /** The first bytes are not those of TLS. */
  "notTls",
  /** TLS, but not 1.3 or without a common cipher. */
  "tlsVersion",
  /** Neither done with TLS nor with the hello in time. */
  "handshakeTimeout",
] as const;
type ConnectionRefusalReason = (typeof CONNECTION_REFUSAL_REASONS)[number];

export interface ConnectionRefusal {
  readonly reason: ConnectionRefusalReason;
  /** For logs and the trail. */
  readonly text: string;
}

export type PeerRefusalReason = ConnectionRefusalReason | RefusalReason;

export const PEER_REFUSAL_REASONS: readonly PeerRefusalReason[] = [
  ...CONNECTION_REFUSAL_REASONS,
  ...REFUSAL_REASONS,
];

/** The certificate that was shown, as far as the trail needs it. */
export interface ShownCertificate {
  readonly subject: string;
  /** Upper-case hex. */
  readonly serial: string;
  /** SHA-256, upper-case hex without colons. */
  readonly fingerprint: string;
}

/** What is told of one refusal. */
export interface PeerRefusal {
  readonly reason: PeerRefusalReason;
  readonly text: string;
  /** Whether this node dialed, or was dialed. */
  readonly side: "dialed" | "accepted";
  /** host:port of the other end. */
  readonly remote: string;
  /** The name that was dialed or that the peer gave; null when it gave none. */
  readonly peer: string | null;
  readonly certificate: ShownCertificate | null;
  /** Equal refusals of the same host since the last one that was told. */
  readonly suppressed: number;
}

const NAME_LENGTH_MAX = 200;

/** The names in a certificate come from whoever made it: they are cut, and can not forge lines. */
export function shownCertificate(certificate: X509Certificate): ShownCertificate {
  const subject = subjectOf(certificate).replaceAll(/[\p{Cc}\p{Cf}]+/gu, " ");
  return {
    subject: subject.slice(0, NAME_LENGTH_MAX),
    serial: certificate.serialNumber.toUpperCase(),
    fingerprint: fingerprintOf(certificate),
  };
}

/** SHA-256 in upper-case hex without colons. */
export function fingerprintOf(certificate: X509Certificate): string {
  return certificate.fingerprint256.replaceAll(":", "");
}

/**
 * What a TLS handshake that failed was about, or null when it is not this node that refused: the other side left, or
 * does not take this node's certificate.
 */
export function refusalOfTlsError(error: NodeJS.ErrnoException): ConnectionRefusal | null {
  const code = error.code ?? "";
  if (code === "ERR_TLS_HANDSHAKE_TIMEOUT") {
    return { reason: "handshakeTimeout", text: "The TLS handshake was not done in time." };
  }
  if (!code.startsWith("ERR_SSL_") || code.includes("_ALERT_")) return null;
  if (/UNSUPPORTED_PROTOCOL|PROTOCOL_VERSION|NO_SHARED_CIPHER|INAPPROPRIATE_FALLBACK/.test(code)) {
    return { reason: "tlsVersion", text: `Peers speak TLS 1.3 only (${code}).` };
  }
  if (/HTTP_REQUEST|HTTPS_PROXY|WRONG_VERSION_NUMBER|RECORD|PACKET|UNEXPECTED_MESSAGE/.test(code)) {
    return { reason: "notTls", text: `What came is not TLS (${code}).` };
  }
  return { reason: "malformed", text: `The TLS handshake failed (${code}).` };
}
