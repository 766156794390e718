/** What is in a file of certificates, keys and revocation lists. Of keys nothing is told but their kind. */
import "./reflect-metadata.ts";
import {
  X509Certificate as NodeCertificate,
  createHash,
  createPrivateKey,
  createPublicKey,
} from "node:crypto";
import * as x509 from "@peculiar/x509";
import { DAY_MS } from "./authority.ts";
import { normalSerial } from "./certificate-index.ts";
import { CertificateError } from "./errors.ts";
import { keyName } from "./key-algorithm.ts";
import { isEncrypted } from "./private-key.ts";
import { readRevocationList, type Revocation } from "./revocation-list.ts";

export interface CertificateDescription {
  readonly kind: "certificate";
  readonly file: string;
  readonly subject: string;
  readonly issuer: string;
  readonly selfSigned: boolean;
  /** Lower-case hex. */
  readonly serial: string;
  readonly authority: boolean;
  /** `DNS:node-1`, `IP:127.0.0.1`, `URI:...`, `email:...` */
  readonly names: readonly string[];
  /** What it may be used for, in words; empty: it does not say. */
  readonly uses: readonly string[];
  readonly validFrom: string;
  readonly validUntil: string;
  /** Whole days until the end; negative when it is past. */
  readonly daysLeft: number;
  readonly key: string;
  readonly signature: string;
  /** SHA-256, lower-case hex. */
  readonly fingerprint: string;
}

export interface KeyDescription {
  readonly kind: "privateKey";
  readonly file: string;
  readonly encrypted: boolean;
  /** Null when it is encrypted. */
  readonly key: string | null;
  /** SHA-256 of the public key, by which it is told whether a certificate is its own; null when it is encrypted. */
  readonly publicKeyFingerprint: string | null;
}

export interface ListDescription {
  readonly kind: "revocationList";
  readonly file: string;
  readonly issuer: string;
  readonly number: string | null;
  readonly thisUpdate: string;
  readonly nextUpdate: string | null;
  readonly daysLeft: number | null;
  readonly revoked: readonly (Omit<Revocation, "revokedAtMs"> & { readonly revokedAt: string })[];
}

export type FileDescription = CertificateDescription | KeyDescription | ListDescription;

const USES: Readonly<Record<string, string>> = {
  "1.3.6.1.5.5.7.3.1": "server",
  "1.3.6.1.5.5.7.3.2": "client",
  "1.3.6.1.5.5.7.3.3": "code signing",
  "1.3.6.1.5.5.7.3.4": "e-mail",
  "1.3.6.1.5.5.7.3.8": "time stamps",
  "1.3.6.1.5.5.7.3.9": "OCSP",
  "2.5.29.37.0": "anything",
};

const NAME_KINDS: Readonly<Record<string, string>> = {
  dns: "DNS",
  ip: "IP",
  url: "URI",
  email: "email",
};
const PEM_BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[^]*?-----END \1-----/g;

/**
 * Everything in a file, in its order. PEM with any number of blocks, or DER of one certificate or list.
 * @throws CertificateError badCertificate when there is nothing that is known, or something is damaged
 */
export function describeFile(bytes: Buffer, file: string, nowMs: number): FileDescription[] {
  const text = bytes.toString("latin1");
  if (!text.includes("-----BEGIN")) return [describeDer(bytes, file, nowMs)];
  const found = [...text.matchAll(PEM_BLOCK)].flatMap(([pem, label = ""]) =>
    describeBlock({ pem, label, file, nowMs }),
  );
  if (found.length > 0) return found;
  throw new CertificateError(
    "badCertificate",
    `${file} holds no certificate, key or revocation list, or its end is missing.`,
  );
}

function describeBlock(block: {
  pem: string;
  label: string;
  file: string;
  nowMs: number;
}): FileDescription[] {
  const { pem, label, file, nowMs } = block;
  if (label === "CERTIFICATE" || label === "TRUSTED CERTIFICATE" || label === "X509 CERTIFICATE") {
    return [describeCertificate(pem, file, nowMs)];
  }
  if (label === "X509 CRL") return [describeList(Buffer.from(pem), file, nowMs)];
  return label.endsWith("PRIVATE KEY") ? [describeKey(pem, file)] : [];
}

function describeDer(bytes: Buffer, file: string, nowMs: number): FileDescription {
  try {
    return describeCertificate(bytes, file, nowMs);
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
  }
  try {
    return describeList(bytes, file, nowMs);
  } catch (cause) {
    if (!(cause instanceof CertificateError)) throw cause;
    throw new CertificateError(
      "badCertificate",
      `${file} is neither PEM nor a certificate or revocation list in DER.`,
      { cause },
    );
  }
}

/** @throws CertificateError badCertificate */
export function describeCertificate(
  data: string | Buffer,
  file: string,
  nowMs: number,
): CertificateDescription {
  let certificate: NodeCertificate;
  let parsed: x509.X509Certificate;
  try {
    certificate = new NodeCertificate(data);
    parsed = new x509.X509Certificate(new Uint8Array(certificate.raw));
  } catch (cause) {
    throw new CertificateError("badCertificate", `${file} holds a certificate that is damaged.`, {
      cause,
    });
  }
  const names = parsed.getExtension(x509.SubjectAlternativeNameExtension)?.names.items ?? [];
  const usages = parsed.getExtension(x509.ExtendedKeyUsageExtension)?.usages ?? [];
  const { name, hash } = parsed.signatureAlgorithm as { name: string; hash?: { name: string } };
  return {
    kind: "certificate",
    file,
    subject: parsed.subject,
    issuer: parsed.issuer,
    selfSigned: parsed.subject === parsed.issuer && certificate.verify(certificate.publicKey),
    serial: normalSerial(certificate.serialNumber),
    authority: certificate.ca,
    names: names.map(({ type, value }) => `${NAME_KINDS[type] ?? type}:${value}`),
    uses: usages.map((usage) => USES[String(usage)] ?? String(usage)),
    validFrom: parsed.notBefore.toISOString(),
    validUntil: parsed.notAfter.toISOString(),
    daysLeft: daysLeft(parsed.notAfter.getTime(), nowMs),
    key: keyName(certificate.publicKey),
    signature: hash === undefined ? name : `${name} ${hash.name}`,
    fingerprint: certificate.fingerprint256.replaceAll(":", "").toLowerCase(),
  };
}

function describeKey(pem: string, file: string): KeyDescription {
  if (isEncrypted(pem)) {
    return { kind: "privateKey", file, encrypted: true, key: null, publicKeyFingerprint: null };
  }
  try {
    const key = createPrivateKey(pem);
    return {
      kind: "privateKey",
      file,
      encrypted: false,
      key: keyName(key),
      publicKeyFingerprint: publicKeyFingerprint(createPublicKey(key)),
    };
  } catch (cause) {
    throw new CertificateError("badKey", `${file} holds a private key that is damaged.`, { cause });
  }
}

function publicKeyFingerprint(key: ReturnType<typeof createPublicKey>): string {
  return createHash("sha256")
    .update(key.export({ type: "spki", format: "der" }))
    .digest("hex");
}

function describeList(bytes: Buffer, file: string, nowMs: number): ListDescription {
  const list = readRevocationList(bytes, file);
  return {
    kind: "revocationList",
    file,
    issuer: list.issuer,
    number: list.number === null ? null : String(list.number),
    thisUpdate: new Date(list.thisUpdateMs).toISOString(),
    nextUpdate: list.nextUpdateMs === null ? null : new Date(list.nextUpdateMs).toISOString(),
    daysLeft: list.nextUpdateMs === null ? null : daysLeft(list.nextUpdateMs, nowMs),
    revoked: list.revocations.map(({ serial, revokedAtMs, reason }) => ({
      serial: normalSerial(serial),
      revokedAt: new Date(revokedAtMs).toISOString(),
      reason,
    })),
  };
}

function daysLeft(untilMs: number, nowMs: number): number {
  return Math.floor((untilMs - nowMs) / DAY_MS);
}
