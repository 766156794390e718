/**
 * Signs certificates for nodes and clients.
 *
 * A node's certificate carries its name as a DNS entry (its identity between nodes) and may act as server and as
 * client. A client's certificate may act as client only, so that it can never open the peer port (S31).
 */
import "./reflect-metadata.ts";
import { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";
import { BACKDATE_MS, DAY_MS, checkDays, openAuthority, pemOf, pemOfKey } from "./authority.ts";
import { randomSerial, type CertificatePair, type SigningAuthority } from "./authority.ts";
import { CertificateError } from "./errors.ts";
import { generateKeys, type KeyAlgorithm } from "./key-algorithm.ts";
import {
  alternativeNameOf,
  checkClientName,
  checkNodeName,
  emailNameOf,
  isHostName,
  uriNameOf,
  type AlternativeName,
} from "./subject-names.ts";

export const NODE_DAYS_DEFAULT = 365;
export const CLIENT_DAYS_DEFAULT = 365;
/** Names in one certificate that are asked for; more would make handshakes heavy. */
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
  /** URIs it is known by, such as `spiffe://example.org/ferrite/node-1`. */
  readonly uris?: readonly string[];
  /** Also cover localhost, 127.0.0.1 and ::1, so that clients on the same machine can verify it. Default true. */
  readonly loopback?: boolean;
  /** Default ECDSA P-256. */
  readonly algorithm?: KeyAlgorithm;
  /** Default 365. */
  readonly days?: number;
  /** Unix ms from which validity counts; default the current time. */
  readonly nowMs?: number;
}

export interface ClientCertificateOptions {
  /** Becomes the common name; a DNS entry too when it can be one and no other names are given. */
  readonly name: string;
  /** DNS names that it shall have. With tls-auth-clients-user SAN-DNS there has to be exactly one. */
  readonly dnsNames?: readonly string[];
  readonly uris?: readonly string[];
  readonly emails?: readonly string[];
  /** Default ECDSA P-256. */
  readonly algorithm?: KeyAlgorithm;
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
  checkNodeName(options.name);
  const hosts = options.hosts ?? [];
  const uris = options.uris ?? [];
  checkCount(hosts.length + uris.length, "hosts");
  const names: AlternativeName[] = [
    { type: "dns", value: options.name },
    ...hosts.map(alternativeNameOf),
    ...((options.loopback ?? true) ? LOOPBACK_NAMES : []),
    ...uris.map(uriNameOf),
  ];
  return issue(authority, {
    commonName: options.name,
    algorithm: options.algorithm,
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
  checkClientName(options.name);
  const given: AlternativeName[] = [
    ...(options.dnsNames ?? []).map(alternativeNameOf),
    ...(options.uris ?? []).map(uriNameOf),
    ...(options.emails ?? []).map(emailNameOf),
  ];
  checkCount(given.length, "names");
  const implied: AlternativeName[] = isHostName(options.name)
    ? [{ type: "dns", value: options.name }]
    : [];
  return issue(authority, {
    commonName: options.name,
    algorithm: options.algorithm,
    names: withoutRepeats(given.length > 0 ? given : implied),
    usages: [x509.ExtendedKeyUsage.clientAuth],
    days: options.days ?? CLIENT_DAYS_DEFAULT,
    nowMs: options.nowMs ?? Date.now(),
  });
}

function checkCount(count: number, what: string): void {
  if (count <= HOSTS_MAX) return;
  throw new CertificateError(
    "badArgument",
    `${count} ${what} are more than the ${HOSTS_MAX} one certificate may have.`,
  );
}

interface IssueRequest {
  readonly commonName: string;
  readonly algorithm: KeyAlgorithm | undefined;
  readonly names: readonly AlternativeName[];
  readonly usages: readonly x509.ExtendedKeyUsage[];
  readonly days: number;
  readonly nowMs: number;
}

async function issue(authority: CertificatePair, request: IssueRequest): Promise<CertificatePair> {
  const signer = await openAuthority(authority);
  const keys = await generateKeys(request.algorithm);
  const { names } = request;
  const certificate = await signCertificate(signer, {
    subject: [{ CN: [request.commonName] }],
    publicKey: keys.publicKey,
    days: request.days,
    nowMs: request.nowMs,
    extensions: [
      new x509.ExtendedKeyUsageExtension([...request.usages], false),
      ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension([...names], false)]),
    ],
  });
  return { certificatePem: pemOf(certificate), privateKeyPem: pemOfKey(keys.privateKey) };
}

/** What a certificate of a node or a client says of it; the rest is the same for all. */
export interface LeafContents {
  readonly subject: x509.X509CertificateCreateParamsName;
  readonly publicKey: x509.PublicKeyType;
  readonly days: number;
  /** Unix ms from which validity counts. */
  readonly nowMs: number;
  /** Extended key usage and alternative names. */
  readonly extensions: readonly x509.Extension[];
}

/**
 * Signs the certificate of a node or client: never one that may sign others.
 * @throws CertificateError badArgument or badAuthority when it would outlive the authority
 */
export async function signCertificate(
  signer: SigningAuthority,
  leaf: LeafContents,
): Promise<x509.X509Certificate> {
  return await x509.X509CertificateGenerator.create(
    {
      serialNumber: randomSerial(),
      subject: leaf.subject,
      issuer: signer.certificate.subjectName,
      notBefore: new Date(leaf.nowMs - BACKDATE_MS),
      notAfter: endOfValidity(signer.certificate, leaf),
      publicKey: leaf.publicKey,
      signingKey: signer.signingKey,
      signingAlgorithm: signer.signingAlgorithm,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        ...leaf.extensions,
        await x509.SubjectKeyIdentifierExtension.create(leaf.publicKey, false, webcrypto),
        await authorityKeyIdentifier(signer.certificate),
      ],
    },
    webcrypto,
  );
}

/** As the authority itself is identified, which for one made elsewhere need not be by the hash that is usual here. */
export async function authorityKeyIdentifier(
  authority: x509.X509Certificate,
): Promise<x509.AuthorityKeyIdentifierExtension> {
  const own = authority.getExtension(x509.SubjectKeyIdentifierExtension);
  return own === null
    ? await x509.AuthorityKeyIdentifierExtension.create(authority.publicKey, false, webcrypto)
    : new x509.AuthorityKeyIdentifierExtension(own.keyId, false);
}

/** A certificate that outlives its authority would look valid and be refused: better to say so when it is made. */
function endOfValidity(
  authority: x509.X509Certificate,
  request: Pick<LeafContents, "days" | "nowMs">,
): Date {
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
