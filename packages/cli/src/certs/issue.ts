/**
 * Signs certificates for nodes and clients.
 *
 * A node's certificate carries its name as a DNS entry (its identity between nodes) and may act as server and as
 * client. A client's certificate may act as client only, so that it can never open the peer port (S31).
 */
import "./reflect-metadata.ts";
import { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";
import { BACKDATE_MS, DAY_MS, SIGNING_ALGORITHM } from "./authority.ts";
import { checkDays, generateKeys, openAuthority, pairOf, randomSerial } from "./authority.ts";
import type { CertificatePair } from "./authority.ts";
import { CertificateError } from "./errors.ts";
import { alternativeNameOf, checkSubjectName } from "./subject-names.ts";
import type { AlternativeName } from "./subject-names.ts";

export const NODE_DAYS_DEFAULT = 365;
export const CLIENT_DAYS_DEFAULT = 365;
/** Entries in one certificate; more would make handshakes heavy. */
export const HOSTS_MAX = 100;

const LOOPBACK_NAMES: readonly AlternativeName[] = [
  { type: "dns", value: "localhost" },
  { type: "ip", value: "127.0.0.1" },
  { type: "ip", value: "::1" },
];

export interface NodeCertificateOptions {
  /** The node's name in the cluster (`node-name`); always covered. */
  readonly name: string;
  /** Further DNS names and IP addresses under which clients reach it. */
  readonly hosts?: readonly string[];
  /** Also cover localhost, 127.0.0.1 and ::1, so that clients on the same machine can verify it. Default true. */
  readonly loopback?: boolean;
  /** Default 365. */
  readonly days?: number;
  /** Unix ms from which validity counts; default the current time. */
  readonly nowMs?: number;
}

export interface ClientCertificateOptions {
  /** Becomes the common name and a DNS entry; later mapped to a user. */
  readonly name: string;
  /** Default 365. */
  readonly days?: number;
  /** Unix ms from which validity counts; default the current time. */
  readonly nowMs?: number;
}

/**
 * Makes a key and a certificate for a node, signed by `authority`.
 * @throws CertificateError badArgument, badAuthority
 */
export async function issueNodeCertificate(
  authority: CertificatePair,
  options: NodeCertificateOptions,
): Promise<CertificatePair> {
  checkSubjectName(options.name, "node");
  const hosts = options.hosts ?? [];
  if (hosts.length > HOSTS_MAX) {
    throw new CertificateError(
      "badArgument",
      `${hosts.length} hosts are more than the ${HOSTS_MAX} one certificate may have.`,
    );
  }
  const names: AlternativeName[] = [
    { type: "dns", value: options.name },
    ...hosts.map(alternativeNameOf),
    ...((options.loopback ?? true) ? LOOPBACK_NAMES : []),
  ];
  return issue(authority, {
    commonName: options.name,
    names: withoutRepeats(names),
    usages: [x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth],
    days: options.days ?? NODE_DAYS_DEFAULT,
    nowMs: options.nowMs ?? Date.now(),
  });
}

/**
 * Makes a key and a certificate for a client program, signed by `authority`.
 * @throws CertificateError badArgument, badAuthority
 */
export async function issueClientCertificate(
  authority: CertificatePair,
  options: ClientCertificateOptions,
): Promise<CertificatePair> {
  checkSubjectName(options.name, "client");
  return issue(authority, {
    commonName: options.name,
    names: [{ type: "dns", value: options.name }],
    usages: [x509.ExtendedKeyUsage.clientAuth],
    days: options.days ?? CLIENT_DAYS_DEFAULT,
    nowMs: options.nowMs ?? Date.now(),
  });
}

interface IssueRequest {
  readonly commonName: string;
  readonly names: readonly AlternativeName[];
  readonly usages: readonly x509.ExtendedKeyUsage[];
  readonly days: number;
  readonly nowMs: number;
}

async function issue(authority: CertificatePair, request: IssueRequest): Promise<CertificatePair> {
  const signer = await openAuthority(authority);
  const notAfter = endOfValidity(signer.certificate, request);
  const keys = await generateKeys();
  const certificate = await x509.X509CertificateGenerator.create(
    {
      serialNumber: randomSerial(),
      subject: [{ CN: [request.commonName] }],
      issuer: signer.certificate.subjectName,
      notBefore: new Date(request.nowMs - BACKDATE_MS),
      notAfter,
      publicKey: keys.publicKey,
      signingKey: signer.signingKey,
      signingAlgorithm: SIGNING_ALGORITHM,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([...request.usages], false),
        new x509.SubjectAlternativeNameExtension([...request.names], false),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
        await x509.AuthorityKeyIdentifierExtension.create(
          signer.certificate.publicKey,
          false,
          webcrypto,
        ),
      ],
    },
    webcrypto,
  );
  return pairOf(certificate, keys.privateKey);
}

/** A certificate that outlives its authority would look valid and be refused: better to say so when it is made. */
function endOfValidity(authority: x509.X509Certificate, request: IssueRequest): Date {
  const notAfter = new Date(request.nowMs + checkDays(request.days) * DAY_MS);
  if (notAfter.getTime() <= authority.notAfter.getTime()) {
    return notAfter;
  }
  const daysLeft = Math.floor((authority.notAfter.getTime() - request.nowMs) / DAY_MS);
  if (daysLeft < 1) {
    throw new CertificateError(
      "badAuthority",
      `The authority ends on ${authority.notAfter.toISOString()}: make a new one first.`,
    );
  }
  throw new CertificateError(
    "badArgument",
    `${request.days} days is longer than the authority lives ` +
      `(until ${authority.notAfter.toISOString()}): ask for ${daysLeft} days or less.`,
  );
}

function withoutRepeats(names: readonly AlternativeName[]): AlternativeName[] {
  const seen = new Set<string>();
  return names.filter(({ type, value }) => {
    const key = `${type}:${value.toLowerCase()}`;
    const isNew = !seen.has(key);
    seen.add(key);
    return isNew;
  });
}
