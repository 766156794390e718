/**
 * What is in a certificate and `X509Certificate` does not say: constraints, usages, exact bytes of names and number.
 *
 *   Certificate     { tbsCertificate, signatureAlgorithm, signature }
 *   tbsCertificate  { [0] version?, serialNumber, signature, issuer, validity, subject, subjectPublicKeyInfo,
 *                     [1] issuerUniqueID?, [2] subjectUniqueID?, [3] extensions? }
 *   extensions      { { OBJECT IDENTIFIER, critical BOOLEAN?, OCTET STRING }, ... }
 *
 * OpenSSL has parsed it before. Stepping through it once more takes a tenth of the 2 ms that the ASN.1 library needs for
 * a whole certificate, which each new connection would pay; what is inside of extensions is the library's.
 */
import { AsnParser } from "@peculiar/asn1-schema";
import {
  AlgorithmIdentifier,
  BasicConstraints,
  ExtendedKeyUsage,
  KeyUsage,
  KeyUsageFlags,
} from "@peculiar/asn1-x509";
import { DerError, DerReader, elementsOf, TAG } from "./der.ts";

export const SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
export const CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";

/** Object identifiers as they are encoded, hex: 2.5.29.19, .15, .37, .17. */
const BASIC_CONSTRAINTS = "551d13";
const KEY_USAGE = "551d0f";
const EXTENDED_KEY_USAGE = "551d25";
const SUBJECT_ALTERNATIVE_NAME = "551d11";

const VERSION = 0xa0;
const ISSUER_ID = 0x81;
const SUBJECT_ID = 0x82;
const EXTENSIONS = 0xa3;

/** An `X509Certificate`, of which only the bytes matter here. */
export interface EncodedCertificate {
  /** DER */
  readonly raw: Buffer;
}

export interface CertificateContents {
  readonly isAuthority: boolean;
  /** How many authorities may stand below it; null: any number. */
  readonly pathLength: number | null;
  /** Null: the extension is absent and nothing is ruled out. */
  readonly mayIssueCertificates: boolean | null;
  readonly mayIssueLists: boolean | null;
  /** Object identifiers; null: the extension is absent. */
  readonly extendedUsages: readonly string[] | null;
  /** Object identifier of the algorithm that it was signed with. */
  readonly signatureAlgorithm: string;
  /** The number's bytes as they stand in the certificate, without leading zeros, as latin1. */
  readonly serial: string;
  /** Exact bytes (DER) of the names, as hex. */
  readonly issuer: string;
  readonly subject: Buffer;
  /** The content of the extension with further names (DER), or null. */
  readonly alternativeNames: Buffer | null;
}

/** @throws Error when the certificate is not what RFC 5280 says it is */
export function certificateContents(certificate: EncodedCertificate): CertificateContents {
  const outer = new DerReader(certificate.raw);
  const parts = new DerReader(outer.next(TAG.sequence).content);
  outer.end();
  const body = new DerReader(parts.next(TAG.sequence).content);
  const algorithm = parts.next(TAG.sequence).whole;
  body.optional(VERSION);
  const serial = serialText(body.next(TAG.integer).content);
  if (!body.next(TAG.sequence).whole.equals(algorithm)) {
    throw new DerError("it names two different signature algorithms");
  }
  const issuer = body.next(TAG.sequence).whole.toString("hex");
  body.next(TAG.sequence);
  const subject = body.next(TAG.sequence).whole;
  body.next(TAG.sequence);
  body.optional(ISSUER_ID);
  body.optional(SUBJECT_ID);
  const extensions = extensionsOf(body.optional(EXTENSIONS)?.content ?? null);
  body.end();
  return {
    serial,
    issuer,
    subject,
    signatureAlgorithm: AsnParser.parse(algorithm, AlgorithmIdentifier).algorithm,
    alternativeNames: extensions.get(SUBJECT_ALTERNATIVE_NAME) ?? null,
    ...limitsOf(extensions),
  };
}

/** By identifier. Of two that contradict each other each reader would believe another one (RFC 5280, 4.2). */
function extensionsOf(content: Buffer | null): ReadonlyMap<string, Buffer> {
  const extensions = new Map<string, Buffer>();
  if (content === null) return extensions;
  const list = new DerReader(content);
  for (const { content: each } of elementsOf(list.next(TAG.sequence).content)) {
    const reader = new DerReader(each);
    const id = reader.next(TAG.objectIdentifier).content.toString("hex");
    reader.optional(TAG.boolean);
    const value = reader.next(TAG.octetString).content;
    reader.end();
    if (extensions.has(id)) throw new DerError("an extension is there twice");
    extensions.set(id, value);
  }
  list.end();
  return extensions;
}

type Limits = Pick<
  CertificateContents,
  "isAuthority" | "pathLength" | "mayIssueCertificates" | "mayIssueLists" | "extendedUsages"
>;

function limitsOf(extensions: ReadonlyMap<string, Buffer>): Limits {
  const parse = <T>(id: string, type: new () => T): T | null => {
    const value = extensions.get(id);
    return value === undefined ? null : AsnParser.parse(value, type);
  };
  const constraints = parse(BASIC_CONSTRAINTS, BasicConstraints);
  const usages = parse(EXTENDED_KEY_USAGE, ExtendedKeyUsage);
  const keyUsage = parse(KEY_USAGE, KeyUsage)?.toNumber() ?? null;
  const may = (flag: number): boolean | null =>
    keyUsage === null ? null : (keyUsage & flag) !== 0;
  return {
    isAuthority: constraints?.cA === true,
    pathLength: constraints?.pathLenConstraint ?? null,
    mayIssueCertificates: may(KeyUsageFlags.keyCertSign),
    mayIssueLists: may(KeyUsageFlags.cRLSign),
    extendedUsages: usages === null ? null : [...usages],
  };
}

/** A form in which two numbers can be compared; broken tools pad with zeros. */
export function serialText(integer: Buffer): string {
  let start = 0;
  while (start < integer.length - 1 && integer[start] === 0) start++;
  return integer.toString("latin1", start);
}
