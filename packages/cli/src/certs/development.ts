/** Certificates for a cluster on one machine, made on the first run and kept. They follow the rules of all others. */
import { X509Certificate, createPrivateKey } from "node:crypto";
import { DAY_MS, createAuthority, type CertificatePair } from "./authority.ts";
import { readIfThere, setAside, writePair } from "./certificate-files.ts";
import { newLayout, type CertificatePaths, type DirectoryLayout } from "./directory-layout.ts";
import { recordIssued } from "./issued.ts";
import { NODE_DAYS_DEFAULT, issueClientCertificate, issueNodeCertificate } from "./issue.ts";
import { fingerprintOf } from "./open-authority.ts";

/** A development certificate with less than this left is made anew at the next start. */
export const RENEW_BEFORE_DAYS = 7;
/** What a node of a development cluster is reached by besides its name. */
const LOOPBACK_HOSTS = ["localhost"];
const LOOPBACK_ADDRESSES = ["127.0.0.1", "::1"];
const SERVER_AND_CLIENT = ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"];

export interface PeerCertificateFiles extends CertificatePaths {
  readonly caFile: string;
}

export interface DevelopmentOptions {
  readonly directory: string;
  readonly nodeNames: readonly string[];
  /** Unix ms; default the current time. */
  readonly nowMs?: number;
}

/**
 * Makes sure that `directory` holds an authority and a certificate for each node, making what is missing and
 * renewing what ends soon or lacks a name. Files that are good are left alone, so it is cheap at every start.
 * @returns the files of each node, by name.
 * @throws CertificateError fileSystem, badAuthority, badIndex
 */
export async function ensureDevelopmentCertificates(
  options: DevelopmentOptions,
): Promise<ReadonlyMap<string, PeerCertificateFiles>> {
  const desk = await openDesk(options);
  const files = new Map<string, PeerCertificateFiles>();
  for (const name of options.nodeNames) {
    const paths = desk.layout.node(name);
    await ensure(desk, paths, {
      use: "node",
      name,
      isGood: (certificate) => coversNode(certificate, name),
      issue: () => issueNodeCertificate(desk.authority, { name, nowMs: desk.nowMs }),
    });
    files.set(name, { ...paths, caFile: desk.layout.authority.certFile });
  }
  return files;
}

/** The same for a client program's certificate. */
export async function ensureDevelopmentClient(
  options: Omit<DevelopmentOptions, "nodeNames"> & { readonly name: string },
): Promise<PeerCertificateFiles> {
  const desk = await openDesk(options);
  const { name } = options;
  const paths = desk.layout.client(name);
  await ensure(desk, paths, {
    use: "client",
    name,
    isGood: (certificate) => certificate.subject === `CN=${name}`,
    issue: () => issueClientCertificate(desk.authority, { name, nowMs: desk.nowMs }),
  });
  return { ...paths, caFile: desk.layout.authority.certFile };
}

interface Desk {
  readonly layout: DirectoryLayout;
  readonly authority: CertificatePair;
  readonly nowMs: number;
}

async function openDesk(options: Omit<DevelopmentOptions, "nodeNames">): Promise<Desk> {
  const nowMs = options.nowMs ?? Date.now();
  const layout = newLayout(options.directory, "flat");
  const kept = await goodPair(layout.authority, nowMs, NODE_DAYS_DEFAULT + RENEW_BEFORE_DAYS);
  if (kept !== null) return { layout, authority: kept, nowMs };
  const authority = await createAuthority({ nowMs });
  for (const file of [layout.indexFile, layout.crlFile]) await setAside(file);
  await writePair(layout.authority, authority, { force: true });
  return { layout, authority, nowMs };
}

async function ensure(
  desk: Desk,
  paths: CertificatePaths,
  what: {
    readonly use: "node" | "client";
    readonly name: string;
    readonly isGood: (certificate: X509Certificate) => boolean;
    readonly issue: () => Promise<CertificatePair>;
  },
): Promise<void> {
  const { layout, authority, nowMs } = desk;
  const kept = await goodPair(paths, nowMs, RENEW_BEFORE_DAYS);
  if (kept !== null) {
    const certificate = new X509Certificate(kept.certificatePem);
    const issuer = new X509Certificate(authority.certificatePem);
    if (certificate.verify(issuer.publicKey) && what.isGood(certificate)) return;
  }
  const pair = await what.issue();
  const fingerprint = fingerprintOf(authority.certificatePem);
  const { use, name } = what;
  await recordIssued({ layout, fingerprint }, { certificatePem: pair.certificatePem, use, name });
  await writePair(paths, pair, { force: true });
}

/** Whether other nodes and clients on this machine would take it for this node's. */
function coversNode(certificate: X509Certificate, name: string): boolean {
  const exact = { subject: "never", wildcards: false } as const;
  const uses = certificate.keyUsage as readonly string[] | undefined;
  return (
    [name, ...LOOPBACK_HOSTS].every((host) => certificate.checkHost(host, exact) !== undefined) &&
    LOOPBACK_ADDRESSES.every((address) => certificate.checkIP(address) !== undefined) &&
    SERVER_AND_CLIENT.every((use) => uses?.includes(use) === true)
  );
}

/** Null when a file is missing or damaged, the two do not fit, or there are fewer days left. */
async function goodPair(
  paths: CertificatePaths,
  nowMs: number,
  daysMin: number,
): Promise<CertificatePair | null> {
  const certificatePem = (await readIfThere(paths.certFile))?.toString("utf8");
  const privateKeyPem = (await readIfThere(paths.keyFile))?.toString("utf8");
  if (certificatePem === undefined || privateKeyPem === undefined) return null;
  try {
    const certificate = new X509Certificate(certificatePem);
    const fits = certificate.checkPrivateKey(createPrivateKey(privateKeyPem));
    const lasts = certificate.validToDate.getTime() - nowMs >= daysMin * DAY_MS;
    return fits && lasts ? { certificatePem, privateKeyPem } : null;
  } catch {
    // Cut short, or something else: the caller makes the pair anew, which is the cure.
    return null;
  }
}
