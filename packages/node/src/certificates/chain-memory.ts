/**
 * What was found out about certificates and stays true: contents and signatures of given bytes. After a change of
 * revocation lists ten thousand connections are looked at again, nearly all with the same few issuers.
 *
 * Also the certificates that stood between others' and their authority, in chains that were good: a resumed session brings
 * only its leaf, and would be refused for want of them. They are not trusted, only offered to the search.
 */
import type { X509Certificate } from "node:crypto";
import { certificateContents, type CertificateContents } from "./certificate-contents.ts";
import { REMEMBERED_MAX } from "./limits.ts";
import { subjectOf } from "./name-text.ts";

export class ChainMemory {
  readonly #contents = new BoundedMap<CertificateContents | null>();
  readonly #signatures = new BoundedMap<boolean>();
  readonly #intermediates = new BoundedMap<Intermediate>();

  /** Null: the certificate is malformed. */
  contents(certificate: X509Certificate): CertificateContents | null {
    return this.#contents.getOrSet(certificate.fingerprint256, () => {
      try {
        return certificateContents(certificate);
      } catch {
        return null;
      }
    });
  }

  /**
   * Whether `issuer` has signed `subject`. Names, constraints and dates are not looked at. A stranger may show an issuer
   * whose key is of no kind that there is, or no key at all: that one has signed nothing.
   */
  hasSigned(issuer: X509Certificate, subject: X509Certificate): boolean {
    const key = `${issuer.fingerprint256}/${subject.fingerprint256}`;
    return this.#signatures.getOrSet(key, () => {
      try {
        return subject.verify(issuer.publicKey);
      } catch {
        return false;
      }
    });
  }

  rememberIntermediate(certificate: X509Certificate): void {
    this.#intermediates.getOrSet(certificate.fingerprint256, () => ({
      certificate,
      name: nameKey(subjectOf(certificate)),
    }));
  }

  intermediatesNamed(key: string): readonly X509Certificate[] {
    const found: X509Certificate[] = [];
    for (const { certificate, name } of this.#intermediates.values()) {
      if (name === key) found.push(certificate);
    }
    return found;
  }
}

interface Intermediate {
  readonly certificate: X509Certificate;
  readonly name: string;
}

/**
 * Brings together what may be the same name: OpenSSL compares without regard to case and number of spaces. Only to look
 * for candidates, each of which is then compared as encoded.
 */
export function nameKey(name: string): string {
  return name.toLowerCase().replace(/\s+/g, " ");
}

/** Forgets what was not asked for the longest. */
class BoundedMap<T> {
  readonly #entries = new Map<string, T>();

  getOrSet(key: string, make: () => T): T {
    const known = this.#entries.get(key);
    const value = known === undefined ? make() : known;
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size > REMEMBERED_MAX) {
      const [oldest] = this.#entries.keys();
      this.#entries.delete(oldest);
    }
    return value;
  }

  values(): Iterable<T> {
    return this.#entries.values();
  }
}
