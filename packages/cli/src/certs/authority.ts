/** The certificate authority of one cluster: a self-signed certificate that signs the nodes and the clients. */
import "./reflect-metadata.ts";
import { KeyObject, createPrivateKey, createPublicKey, webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";
import { CertificateError } from "./errors.ts";
import {
  generateKeys,
  importSigningKey,
  signingAlgorithmOf,
  type KeyAlgorithm,
  type SigningAlgorithm,
} from "./key-algorithm.ts";

/** Signed certificates start this long in the past, so that a machine whose clock is behind accepts them. */
export const BACKDATE_MS: number = 5 * 60 * 1000;
export const DAY_MS: number = 24 * 60 * 60 * 1000;
export const AUTHORITY_DAYS_DEFAULT = 3650;
/** Beyond a century the two-digit years of some parsers are not worth the trouble. */
export const DAYS_MAX = 36_500;
const SERIAL_BYTES = 16;

/** A certificate and its private key (PKCS 8), both as PEM text. */
export interface CertificatePair {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

export interface AuthorityOptions {
  /**
   * Common name, shown in error messages of TLS libraries. Default "Ferrite cluster authority" and a few random digits:
   * two authorities in one bundle are told apart by their names.
   */
  readonly name?: string;
  /** Default ECDSA P-256. */
  readonly algorithm?: KeyAlgorithm;
  /** How long it is valid. Default 3650. */
  readonly days?: number;
  /** Unix ms from which validity counts; default the current time. */
  readonly nowMs?: number;
}

/**
 * Makes a new authority: a new key and a self-signed certificate that may sign end certificates only (path length 0).
 * @throws CertificateError badArgument
 */
export async function createAuthority(options: AuthorityOptions = {}): Promise<CertificatePair> {
  const days = checkDays(options.days ?? AUTHORITY_DAYS_DEFAULT);
  const nowMs = options.nowMs ?? Date.now();
  const keys = await generateKeys(options.algorithm);
  const serialNumber = randomSerial();
  const name = [{ CN: [options.name ?? `Ferrite cluster authority ${serialNumber.slice(-6)}`] }];
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      serialNumber,
      name,
      notBefore: new Date(nowMs - BACKDATE_MS),
      notAfter: new Date(nowMs + days * DAY_MS),
      keys,
      signingAlgorithm: signingAlgorithmOf(keys.privateKey),
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(
          x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
          true,
        ),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
        await x509.AuthorityKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
  return pairOf(certificate, keys.privateKey);
}

/** An authority that was read and checked, ready to sign. */
export interface SigningAuthority {
  readonly certificate: x509.X509Certificate;
  readonly signingKey: webcrypto.CryptoKey;
  readonly signingAlgorithm: SigningAlgorithm;
}

/**
 * Reads an authority from PEM text and checks that it may sign: it parses, is marked as an authority, and the key is
 * the certificate's.
 * @throws CertificateError badAuthority
 */
export async function openAuthority(pair: CertificatePair): Promise<SigningAuthority> {
  let certificate: x509.X509Certificate;
  let key: KeyObject;
  try {
    certificate = new x509.X509Certificate(pair.certificatePem);
    key = createPrivateKey(pair.privateKeyPem);
  } catch (cause) {
    throw new CertificateError(
      "badAuthority",
      "The authority's certificate or key is not readable PEM.",
      { cause },
    );
  }
  if (certificate.getExtension(x509.BasicConstraintsExtension)?.ca !== true) {
    throw new CertificateError(
      "badAuthority",
      `"${certificate.subject}" is not a certificate authority.`,
    );
  }
  const publicKeyOfKey = createPublicKey(key).export({ type: "spki", format: "der" });
  if (!publicKeyOfKey.equals(Buffer.from(certificate.publicKey.rawData))) {
    throw new CertificateError(
      "badAuthority",
      `The key does not belong to the certificate "${certificate.subject}".`,
    );
  }
  const signingKey = await importSigningKey(key);
  return { certificate, signingKey, signingAlgorithm: signingAlgorithmOf(signingKey) };
}

function pairOf(
  certificate: x509.X509Certificate,
  privateKey: webcrypto.CryptoKey,
): CertificatePair {
  return { certificatePem: pemOf(certificate), privateKeyPem: pemOfKey(privateKey) };
}

/** A certificate as PEM text that ends with its line. */
export function pemOf(certificate: x509.X509Certificate): string {
  return `${certificate.toString("pem").trimEnd()}\n`;
}

/** PKCS 8, without a passphrase. */
export function pemOfKey(privateKey: webcrypto.CryptoKey): string {
  return KeyObject.from(privateKey).export({ type: "pkcs8", format: "pem" }) as string;
}

/** 127 random bits: unpredictable and positive, as RFC 5280 (4.1.2.2) wants; the set bit keeps the length fixed. */
export function randomSerial(): string {
  const bytes = webcrypto.getRandomValues(new Uint8Array(SERIAL_BYTES));
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return Buffer.from(bytes).toString("hex");
}

/** @throws CertificateError badArgument unless `days` is a whole number in 1..36500. */
export function checkDays(days: number): number {
  if (!Number.isInteger(days) || days < 1 || days > DAYS_MAX) {
    throw new CertificateError(
      "badArgument",
      `The validity must be a whole number of days from 1 to ${DAYS_MAX}, not ${days}.`,
    );
  }
  return days;
}
