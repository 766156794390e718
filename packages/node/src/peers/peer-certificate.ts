/**
 * Is a certificate that of the member it is used for? Asked on both sides of every link, after TLS has verified the
 * chain up to the peer authority.
 */
import type { X509Certificate } from "node:crypto";
import { PeerError } from "./errors.ts";

const SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
const CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";

/**
 * True when the subject alternative names cover exactly this name. The common name does not count, nor do wildcards:
 * a certificate for `*.example.org` would let one node speak for all. The matching is OpenSSL's, on the encoded names:
 * the text form of the extension must not be taken apart, as a name can contain its separators (CVE-2021-44532).
 */
export function certificateCovers(certificate: X509Certificate, name: string): boolean {
  if (name.includes("\0")) {
    return false;
  }
  const options = { subject: "never", wildcards: false, partialWildcards: false } as const;
  return certificate.checkHost(name, options) !== undefined;
}

/**
 * A certificate for a node may act as server and as client. One for a client program, of the same authority, may
 * only be a client and so can not open the peer port (S31).
 * @throws PeerError peerCertificate
 */
export function requireNodeUsage(certificate: X509Certificate): void {
  const usages: readonly string[] = certificate.keyUsage ?? [];
  if (!usages.includes(SERVER_AUTH) || !usages.includes(CLIENT_AUTH)) {
    throw new PeerError(
      "peerCertificate",
      "The certificate is not one of a node: its extended key usage must allow serverAuth and clientAuth " +
        "(ferrite certs node makes such).",
    );
  }
}

/** @throws PeerError peerCertificate */
export function requireNodeCertificate(certificate: X509Certificate, name: string): void {
  requireNodeUsage(certificate);
  if (!certificateCovers(certificate, name)) {
    throw new PeerError(
      "peerCertificate",
      `The certificate does not cover the name "${name}" (a DNS entry in its subject alternative names).`,
    );
  }
}
