/** Subject and issuer as texts, for people and for finding candidates. Nothing is decided by them (S30). */
import type { X509Certificate } from "node:crypto";

/** What Node really gives: nothing at all where a name is empty, as in certificates of SPIFFE. */
interface Named {
  readonly subject: string | undefined;
  readonly issuer: string | undefined;
}

/** Lines of `type=value`; "" where there is no name. Anybody can make a certificate without one and show it here. */
export function subjectOf(certificate: X509Certificate): string {
  return (certificate as Named).subject ?? "";
}

export function issuerOf(certificate: X509Certificate): string {
  return (certificate as Named).issuer ?? "";
}
