/** Reads a node's certificate, key and authority, and refuses what would only fail later, at the first link. */
import { X509Certificate, createPrivateKey } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { TlsFiles } from "../config/tls-files.ts";
import { PeerError } from "./errors.ts";
import { certificateCovers, requireNodeUsage } from "./peer-certificate.ts";

/** What TLS needs, as PEM, checked. */
export interface PeerCredentials {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly ca: readonly Buffer[];
  /** Unix ms at which the node's certificate ends. */
  readonly validUntilMs: number;
}

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

/**
 * Loads and checks the three files for the node `name`.
 * @throws PeerError tlsFiles, with the file's name and what to do.
 */
export async function loadPeerCredentials(
  given: TlsFiles,
  name: string,
  nowMs: number,
): Promise<PeerCredentials> {
  const files = withAuthority(given);
  const cert = await readPem(files.certFile, "peer-tls-cert-file");
  const key = await readPem(files.keyFile, "peer-tls-key-file");
  const caText = await readPem(files.caFile, "peer-tls-ca-cert-file");
  const certificate = parseCertificate(firstCertificate(cert) ?? cert, files.certFile);
  const authorities = (caText.toString("latin1").match(PEM_CERTIFICATE) ?? []).map((pem) =>
    Buffer.from(pem, "latin1"),
  );
  if (authorities.length === 0) {
    throw unusable(files.caFile, "holds no certificate in PEM form");
  }
  const issuers = authorities.map((pem) => parseCertificate(pem, files.caFile));
  checkKey(certificate, parseKey(key, files.keyFile), files);
  checkPeriod(certificate, files.certFile, nowMs);
  checkUse(certificate, files.certFile, name);
  checkChain(cert, certificate, issuers, files, nowMs);
  return { cert, key, ca: authorities, validUntilMs: certificate.validToDate.getTime() };
}

type PeerFiles = TlsFiles & { readonly caFile: string };

function withAuthority(files: TlsFiles): PeerFiles {
  const { caFile } = files;
  if (caFile === null) throw unusable(files.certFile, "needs peer-tls-ca-cert-file beside it");
  return { ...files, caFile };
}

async function readPem(path: string, setting: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new PeerError(
      "tlsFiles",
      `${setting} ${path} can not be read (${reason}). Make it with: ferrite certs node`,
      { cause },
    );
  }
}

function firstCertificate(pem: Buffer): Buffer | null {
  const match = pem.toString("latin1").match(PEM_CERTIFICATE)?.[0];
  return match === undefined ? null : Buffer.from(match, "latin1");
}

function parseCertificate(pem: Buffer, path: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw unusable(path, "is not a certificate in PEM form", cause);
  }
}

function parseKey(pem: Buffer, path: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (cause) {
    throw unusable(path, "is not a private key in PEM form (without a password)", cause);
  }
}

function checkKey(certificate: X509Certificate, key: KeyObject, files: PeerFiles): void {
  if (!certificate.checkPrivateKey(key)) {
    throw unusable(
      files.keyFile,
      `does not belong to the certificate ${files.certFile}: give the key that was made with it`,
    );
  }
}

function checkPeriod(certificate: X509Certificate, path: string, nowMs: number): void {
  if (certificate.validToDate.getTime() <= nowMs) {
    throw unusable(
      path,
      `ended on ${certificate.validTo}. Make a new one: ferrite certs node NAME --force`,
    );
  }
  if (certificate.validFromDate.getTime() > nowMs) {
    throw unusable(
      path,
      `begins on ${certificate.validFrom}, which is in the future: is this machine's clock right?`,
    );
  }
}

function checkUse(certificate: X509Certificate, path: string, name: string): void {
  try {
    requireNodeUsage(certificate);
  } catch (cause) {
    throw unusable(
      path,
      "is not a node's: its extended key usage must allow serverAuth and clientAuth " +
        "(ferrite certs node makes such, ferrite certs client does not)",
      cause,
    );
  }
  if (!certificateCovers(certificate, name)) {
    throw unusable(
      path,
      `does not cover this node's name "${name}" (it covers: ${certificate.subjectAltName ?? "nothing"}). ` +
        `Make one that does: ferrite certs node ${name}`,
    );
  }
}

/** Follows the chain through the intermediate certificates of the file up to one of the authorities. */
function checkChain(
  certPem: Buffer,
  leaf: X509Certificate,
  authorities: readonly X509Certificate[],
  files: PeerFiles,
  nowMs: number,
): void {
  const intermediates = (certPem.toString("latin1").match(PEM_CERTIFICATE) ?? [])
    .slice(1)
    .map((pem) => parseCertificate(Buffer.from(pem, "latin1"), files.certFile));
  let current = leaf;
  for (let step = 0; step <= intermediates.length; step++) {
    const authority = authorities.find((each) => issued(each, current));
    if (authority !== undefined) {
      checkAuthorityPeriod(authority, files.caFile, nowMs);
      return;
    }
    const next = intermediates.find((each) => issued(each, current));
    if (next === undefined) {
      break;
    }
    current = next;
  }
  throw unusable(
    files.certFile,
    `was not signed by the authority in ${files.caFile}: all nodes of a cluster need certificates of one authority`,
  );
}

function checkAuthorityPeriod(authority: X509Certificate, path: string, nowMs: number): void {
  if (authority.validToDate.getTime() <= nowMs) {
    throw unusable(
      path,
      `ended on ${authority.validTo}. Make a new authority and new node certificates: ferrite certs init`,
    );
  }
}

function issued(issuer: X509Certificate, subject: X509Certificate): boolean {
  return issuer.ca && subject.checkIssued(issuer) && subject.verify(issuer.publicKey);
}

function unusable(path: string, what: string, cause?: unknown): PeerError {
  return new PeerError("tlsFiles", `${path} ${what}.`, { cause });
}
