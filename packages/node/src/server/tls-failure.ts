/** Why a handshake came to nothing: a word for metrics, a sentence for logs and the trail. */
import type { CertificateRefusal } from "../certificates/live-credentials.ts";

export type HandshakeFailureReason =
  | CertificateRefusal["reason"]
  /** Only versions of TLS that are not spoken here. */
  | "protocolVersion"
  /** No cipher that both sides have. */
  | "cipher"
  /** Bytes that are not TLS. */
  | "notTls"
  | "timeout"
  /** More handshakes at once than a node takes part in, or as many clients as there may be. */
  | "tooMany"
  /** The client left, or refused this node's certificate. */
  | "client"
  | "other";

export interface HandshakeFailure {
  readonly reason: HandshakeFailureReason;
  readonly text: string;
}

/** Every reason, so that each has its number from the start, 0. */
export const HANDSHAKE_FAILURE_REASONS: readonly HandshakeFailureReason[] = [
  "missing",
  "untrusted",
  "expired",
  "notYetValid",
  "revoked",
  "staleRevocationList",
  "wrongUse",
  "malformed",
  "protocolVersion",
  "cipher",
  "notTls",
  "timeout",
  "tooMany",
  "client",
  "other",
];

/** Whether it was for the client's certificate. */
export function isCertificateReason(reason: HandshakeFailureReason): boolean {
  return CERTIFICATE_REASONS.has(reason);
}

const CERTIFICATE_REASONS: ReadonlySet<HandshakeFailureReason> = new Set(
  HANDSHAKE_FAILURE_REASONS.slice(0, HANDSHAKE_FAILURE_REASONS.indexOf("protocolVersion")),
);

/** What OpenSSL says of the other side's certificate (`authorizationError`). */
const VERIFICATION: ReadonlyMap<string, HandshakeFailureReason> = new Map([
  ["CERT_HAS_EXPIRED", "expired"],
  ["CERT_NOT_YET_VALID", "notYetValid"],
  ["CERT_REVOKED", "revoked"],
  ["INVALID_PURPOSE", "wrongUse"],
]);

const BY_CODE: readonly (readonly [RegExp, HandshakeFailureReason, string])[] = [
  [
    /PEER_DID_NOT_RETURN_A_CERTIFICATE|CERTIFICATE_REQUIRED/,
    "missing",
    "the client has shown no certificate",
  ],
  [
    /UNSUPPORTED_PROTOCOL|VERSION_TOO_LOW|INAPPROPRIATE_FALLBACK/,
    "protocolVersion",
    "the client speaks no version of TLS that is allowed here",
  ],
  [/NO_SHARED_CIPHER|NO_SHARED_GROUP|NO_SUITABLE/, "cipher", "no cipher that both sides have"],
  [
    /WRONG_VERSION_NUMBER|HTTP_REQUEST|HTTPS_PROXY_REQUEST|UNKNOWN_PROTOCOL|RECORD_TOO_SMALL|PACKET_LENGTH/,
    "notTls",
    "the client does not speak TLS",
  ],
  [/ALERT/, "client", "the client ended the handshake"],
  [/ECONNRESET|EPIPE|ECONNABORTED/, "client", "the client left"],
];

/** What went wrong, of an error of a TLS socket whose handshake is not done. Texts of Node hold no secrets. */
export function handshakeFailure(
  error: Error & { readonly code?: string },
  authorizationError: unknown,
): HandshakeFailure {
  if (typeof authorizationError === "string" && authorizationError !== "") {
    const reason = VERIFICATION.get(authorizationError) ?? "untrusted";
    return { reason, text: `the client's certificate is not good: ${authorizationError}` };
  }
  const code = error.code ?? "";
  for (const [pattern, reason, text] of BY_CODE) {
    if (pattern.test(code)) return { reason, text: `${text} (${code})` };
  }
  return { reason: "other", text: code === "" ? "the handshake failed" : code };
}
