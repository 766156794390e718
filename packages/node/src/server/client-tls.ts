/** What is known of a client that came over TLS. */
import type { X509Certificate } from "node:crypto";
import { subjectOf } from "../certificates/name-text.ts";

/** The certificate that a client has shown and that was found good. */
export interface ClientCertificate {
  /** Leaf first, with what the client sent between it and the authority. */
  readonly chain: readonly X509Certificate[];
  /** SHA-256 in upper-case hex without colons. */
  readonly fingerprint: string;
  /** Serial number in upper-case hex. */
  readonly serial: string;
  /** `CN=alice, O=example`, escaped by OpenSSL, as a byte string. For people: nothing is decided by it. */
  readonly subject: string;
  /** Unix ms. */
  readonly validUntilMs: number;
}

export interface ClientTls {
  /** Null: it has shown none, or was not asked. */
  readonly certificate: ClientCertificate | null;
}

/** `chain` is not empty. */
export function clientCertificate(chain: readonly X509Certificate[]): ClientCertificate {
  const [leaf] = chain;
  return {
    chain,
    fingerprint: leaf.fingerprint256.replaceAll(":", ""),
    serial: leaf.serialNumber.toUpperCase(),
    subject: Buffer.from(subjectOf(leaf).replaceAll("\n", ", "), "utf8").toString("latin1"),
    validUntilMs: Date.parse(leaf.validTo),
  };
}
