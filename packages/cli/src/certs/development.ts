/** Certificates for a cluster on one machine, made on the first run and kept. */
import { X509Certificate, createPrivateKey } from "node:crypto";
import { readFile } from "node:fs/promises";
import { DAY_MS, createAuthority } from "./authority.ts";
import { authorityPaths, nodePaths, readAuthority, writePair } from "./certificate-files.ts";
import type { CertificatePaths } from "./certificate-files.ts";
import { CertificateError } from "./errors.ts";
import { NODE_DAYS_DEFAULT, issueNodeCertificate } from "./issue.ts";

/** A development certificate with less than this left is made anew at the next start. */
export const RENEW_BEFORE_DAYS = 30;

export interface PeerCertificateFiles extends CertificatePaths {
  readonly caFile: string;
}

/**
 * Makes sure that `directory` holds an authority and a certificate for each node, making what is missing and
 * renewing what ends soon. Files that are good are left alone, so it is cheap at every start.
 * @returns the files of each node, by name.
 * @throws CertificateError fileSystem, badAuthority
 */
export async function ensureDevelopmentCertificates(options: {
  readonly directory: string;
  readonly nodeNames: readonly string[];
  /** Unix ms; default the current time. */
  readonly nowMs?: number;
}): Promise<ReadonlyMap<string, PeerCertificateFiles>> {
  const nowMs = options.nowMs ?? Date.now();
  const authorityFiles = authorityPaths(options.directory);
  const renewAuthority =
    (await remainingDays(authorityFiles, nowMs)) < NODE_DAYS_DEFAULT + RENEW_BEFORE_DAYS;
  if (renewAuthority) {
    await writePair(authorityFiles, await createAuthority({ nowMs }), { force: true });
  }
  const authority = await readAuthority(options.directory);
  const issuer = new X509Certificate(authority.certificatePem);
  const files = new Map<string, PeerCertificateFiles>();
  for (const name of options.nodeNames) {
    const paths = nodePaths(options.directory, name);
    const good =
      (await remainingDays(paths, nowMs)) >= RENEW_BEFORE_DAYS && (await signedBy(paths, issuer));
    if (!good) {
      const pair = await issueNodeCertificate(authority, { name, nowMs });
      await writePair(paths, pair, { force: true });
    }
    files.set(name, { ...paths, caFile: authorityFiles.certFile });
  }
  return files;
}

/** Days until the pair's certificate ends; -1 when a file is missing, unreadable or the two do not fit. */
async function remainingDays(paths: CertificatePaths, nowMs: number): Promise<number> {
  const certificate = await readCertificate(paths.certFile);
  if (certificate === null || !(await hasKeyOf(certificate, paths.keyFile))) {
    return -1;
  }
  return (certificate.validToDate.getTime() - nowMs) / DAY_MS;
}

async function signedBy(paths: CertificatePaths, issuer: X509Certificate): Promise<boolean> {
  const certificate = await readCertificate(paths.certFile);
  return certificate !== null && certificate.verify(issuer.publicKey);
}

async function hasKeyOf(certificate: X509Certificate, keyFile: string): Promise<boolean> {
  const text = await readIfThere(keyFile);
  if (text === null) {
    return false;
  }
  try {
    return certificate.checkPrivateKey(createPrivateKey(text));
  } catch {
    // Not a key: the caller makes the pair anew, which is the cure.
    return false;
  }
}

async function readCertificate(path: string): Promise<X509Certificate | null> {
  const text = await readIfThere(path);
  if (text === null) {
    return null;
  }
  try {
    return new X509Certificate(text);
  } catch {
    // Cut short or not a certificate: the caller makes the pair anew, which is the cure.
    return null;
  }
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") {
      return null;
    }
    throw new CertificateError("fileSystem", `${path} can not be read: ${String(cause)}`, {
      cause,
    });
  }
}
