/** A new certificate in the place of an old one: the same subject, names and uses, new dates and serial number. */
import "./reflect-metadata.ts";
import * as x509 from "@peculiar/x509";
import { X509Certificate as NodeCertificate, type KeyObject } from "node:crypto";
import { DAY_MS, pemOf, pemOfKey, type SigningAuthority } from "./authority.ts";
import { CertificateError } from "./errors.ts";
import { signCertificate } from "./issue.ts";
import { algorithmOfKey, generateKeys, type KeyAlgorithm } from "./key-algorithm.ts";

export interface RenewOptions {
  /** Default as long as the old one was valid as a whole. */
  readonly days: number | null;
  /** The new key is of this kind; default as the old one. */
  readonly algorithm: KeyAlgorithm | null;
  /** The certificate is made for the key that is there. */
  readonly keepKey: boolean;
  readonly nowMs: number;
}

export interface RenewedCertificate {
  readonly certificatePem: string;
  /** Null: the key stays. PKCS 8 without a passphrase. */
  readonly privateKeyPem: string | null;
}

/**
 * @throws CertificateError badCertificate for an authority or one without a known use, badArgument and badAuthority as
 * when one is issued
 */
export async function renewCertificate(
  signer: SigningAuthority,
  old: x509.X509Certificate,
  options: RenewOptions,
): Promise<RenewedCertificate> {
  const extensions = renewedExtensions(old);
  const keys = options.keepKey ? null : await generateKeys(options.algorithm ?? likeKeyOf(old));
  const certificate = await signCertificate(signer, {
    subject: old.subjectName,
    publicKey: keys?.publicKey ?? old.publicKey,
    days: options.days ?? daysOf(old),
    nowMs: options.nowMs,
    extensions,
  });
  return {
    certificatePem: pemOf(certificate),
    privateKeyPem: keys === null ? null : pemOfKey(keys.privateKey),
  };
}

function renewedExtensions(old: x509.X509Certificate): x509.Extension[] {
  const subject = old.subject;
  if (old.getExtension(x509.BasicConstraintsExtension)?.ca === true) {
    throw new CertificateError(
      "badCertificate",
      `"${subject}" is an authority. A new one is made with \`ferrite certs init\`; docs/certificates.md says how to change over.`,
    );
  }
  const usages = old.getExtension(x509.ExtendedKeyUsageExtension);
  if (usages === null) {
    throw new CertificateError(
      "badCertificate",
      `"${subject}" does not say what it is for (extended key usage): make a new one with \`ferrite certs node\` or \`client\`.`,
    );
  }
  const names = old.getExtension(x509.SubjectAlternativeNameExtension);
  return names === null ? [usages] : [usages, names];
}

function likeKeyOf(old: x509.X509Certificate): KeyAlgorithm {
  const algorithm = algorithmOfKey(publicKeyOf(old));
  if (algorithm !== null) return algorithm;
  throw new CertificateError(
    "badArgument",
    `"${old.subject}" has a kind of key that is not made here: say which with --algorithm, or --keep-key.`,
  );
}

/** The public key of a certificate as Node knows it. */
export function publicKeyOf(certificate: x509.X509Certificate): KeyObject {
  return new NodeCertificate(Buffer.from(certificate.rawData)).publicKey;
}

/** Dates are backdated by minutes, so it is rounded to what was asked for. */
function daysOf(old: x509.X509Certificate): number {
  return Math.max(1, Math.round((old.notAfter.getTime() - old.notBefore.getTime()) / DAY_MS));
}
