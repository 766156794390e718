/** What is in a certificate and `X509Certificate` does not say: constraints, usages, exact bytes of names and number. */
import { AsnParser } from "@peculiar/asn1-schema";
import {
  BasicConstraints,
  Certificate,
  ExtendedKeyUsage,
  type Extension,
  KeyUsage,
  KeyUsageFlags,
} from "@peculiar/asn1-x509";
import { DerReader, TAG } from "./der.ts";

export const SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
export const CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";
const BASIC_CONSTRAINTS = "2.5.29.19";
const KEY_USAGE = "2.5.29.15";
const EXTENDED_KEY_USAGE = "2.5.29.37";
export const SUBJECT_ALTERNATIVE_NAME = "2.5.29.17";

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
  const parsed = AsnParser.parse(certificate.raw, Certificate);
  const extensions = parsed.tbsCertificate.extensions ?? [];
  refuseRepeats(extensions);
  const find = (id: string): Extension | undefined => extensions.find((each) => each.extnID === id);
  const constraints = valueOf(find(BASIC_CONSTRAINTS), BasicConstraints);
  const usages = valueOf(find(EXTENDED_KEY_USAGE), ExtendedKeyUsage);
  const keyUsage = valueOf(find(KEY_USAGE), KeyUsage)?.toNumber() ?? null;
  const may = (flag: number): boolean | null =>
    keyUsage === null ? null : (keyUsage & flag) !== 0;
  const names = find(SUBJECT_ALTERNATIVE_NAME);
  return {
    isAuthority: constraints?.cA === true,
    pathLength: constraints?.pathLenConstraint ?? null,
    mayIssueCertificates: may(KeyUsageFlags.keyCertSign),
    mayIssueLists: may(KeyUsageFlags.cRLSign),
    extendedUsages: usages === null ? null : [...usages],
    signatureAlgorithm: parsed.signatureAlgorithm.algorithm,
    alternativeNames: names === undefined ? null : Buffer.from(names.extnValue.buffer),
    ...exactParts(certificate.raw),
  };
}

function valueOf<T>(extension: Extension | undefined, type: new () => T): T | null {
  return extension === undefined ? null : AsnParser.parse(extension.extnValue.buffer, type);
}

/** RFC 5280, 4.2. Of two that contradict each other, each reader would believe another one. */
function refuseRepeats(extensions: readonly Extension[]): void {
  if (new Set(extensions.map(({ extnID }) => extnID)).size < extensions.length) {
    throw new Error("an extension is there twice");
  }
}

/** Certificate { tbsCertificate { [0] version, serialNumber, signature, issuer, validity, subject, ... }, ... } */
function exactParts(der: Buffer): Pick<CertificateContents, "serial" | "issuer" | "subject"> {
  const outer = new DerReader(new DerReader(der).next(TAG.sequence).content);
  const reader = new DerReader(outer.next(TAG.sequence).content);
  reader.optional(0xa0);
  const serial = serialText(reader.next(TAG.integer).content);
  reader.next(TAG.sequence);
  const issuer = reader.next(TAG.sequence).whole.toString("hex");
  reader.next(TAG.sequence);
  return { serial, issuer, subject: reader.next(TAG.sequence).whole };
}

/** A form in which two numbers can be compared; broken tools pad with zeros. */
export function serialText(integer: Buffer): string {
  let start = 0;
  while (start < integer.length - 1 && integer[start] === 0) start++;
  return integer.toString("latin1", start);
}
