/** One place for how links are secured: TLS 1.3 with certificates on both sides, and no way to turn it off. */
import { constants } from "node:crypto";
import type { SecureContextOptions } from "node:tls";
import type { LoadedCredentials } from "../certificates/live-credentials.ts";

/**
 * All three of TLS 1.3 are strong. AES-128 first: with hardware AES it costs the least, and the link's other limits
 * are reached long before its strength is.
 */
const CIPHERS = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";

/** What TLS is made with from one generation of certificates. */
export function secureContextOptions(credentials: LoadedCredentials): SecureContextOptions {
  return {
    ...credentials.contextOptions,
    minVersion: "TLSv1.3",
    maxVersion: "TLSv1.3",
    ciphers: CIPHERS,
    // No session tickets: every link is a full handshake, so that it is checked against today's certificates.
    secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
  };
}
