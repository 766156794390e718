/**
 * One certificate revocation list (RFC 5280, 5). The frame is stepped through by hand, since the ASN.1 library gives up on
 * lists of more than 10,000 parts; times, algorithms and extensions are the library's.
 *
 *   CertificateList { tbsCertList { version?, signature, issuer, thisUpdate, nextUpdate?,
 *                                   revokedCertificates { { serial, date, extensions? } ... }?,
 *                                   [0] crlExtensions? },
 *                     signatureAlgorithm, signature }
 */
import { AsnParser } from "@peculiar/asn1-schema";
import { AlgorithmIdentifier, CRLNumber, Extensions, Time } from "@peculiar/asn1-x509";
import { createHash, verify, type KeyObject } from "node:crypto";
import { serialText } from "./certificate-contents.ts";
import { DerError, DerReader, TAG } from "./der.ts";
import { brokenHash, hashOfAlgorithm } from "./signature-algorithms.ts";

const CRL_NUMBER = "2.5.29.20";
const REASON_CODE = "2.5.29.21";
/** Reason 8: the entry takes a certificate off the list. */
const REMOVE_FROM_LIST = 8;

export interface RevocationList {
  /** Exact bytes of the issuer's name, hex. */
  readonly issuer: string;
  /** Unix ms. */
  readonly thisUpdateMs: number;
  /** Unix ms; null: the list does not say when there will be another. */
  readonly nextUpdateMs: number | null;
  /** Orders lists of the same moment. */
  readonly number: bigint;
  /** Numbers as certificate-contents.ts writes them. */
  readonly serials: ReadonlySet<string>;
  /** SHA-256 of the whole list, hex. */
  readonly fingerprint: string;
  isSignedBy(key: KeyObject): boolean;
}

/**
 * @throws DerError when the bytes are no list, or one that says something that is not understood: a list of which half is
 *   honoured would look like protection
 */
export function parseRevocationList(der: Buffer): RevocationList {
  const outer = new DerReader(der);
  const parts = new DerReader(outer.next(TAG.sequence).content);
  outer.end();
  const signed = parts.next(TAG.sequence);
  const algorithm = parts.next(TAG.sequence).whole;
  const signature = parts.next(0x03).content.subarray(1);
  parts.end();
  const body = parseBody(signed.content, algorithm);
  const hash = signingHash(algorithm);
  return {
    ...body,
    fingerprint: createHash("sha256").update(der).digest("hex"),
    isSignedBy: (key) => verifies(hash, signed.whole, key, signature),
  };
}

type Body = Omit<RevocationList, "fingerprint" | "isSignedBy">;

function parseBody(content: Buffer, outerAlgorithm: Buffer): Body {
  const reader = new DerReader(content);
  reader.optional(TAG.integer);
  if (!reader.next(TAG.sequence).whole.equals(outerAlgorithm)) {
    throw new DerError("it names two different signature algorithms");
  }
  const issuer = reader.next(TAG.sequence).whole.toString("hex");
  const thisUpdateMs = timeOf(reader.next().whole);
  const isTime = reader.nextTag === TAG.utcTime || reader.nextTag === TAG.generalizedTime;
  const nextUpdateMs = isTime ? timeOf(reader.next().whole) : null;
  const serials = revokedSerials(reader.optional(TAG.sequence)?.content ?? Buffer.alloc(0));
  const extensions = reader.optional(0xa0);
  reader.end();
  const number = extensions === null ? 0n : listNumber(extensions.content);
  return { issuer, thisUpdateMs, nextUpdateMs, number, serials };
}

function revokedSerials(content: Buffer): ReadonlySet<string> {
  const serials = new Set<string>();
  const reader = new DerReader(content);
  const entry = new DerReader(content);
  while (!reader.isDone) {
    entry.begin(reader.next(TAG.sequence).content);
    const serial = serialText(entry.next(TAG.integer).content);
    entry.next();
    const extensions = entry.optional(TAG.sequence);
    entry.end();
    if (extensions === null || !isTakenOff(extensions.whole)) serials.add(serial);
  }
  return serials;
}

/** An entry's extension that is critical changes what the entry means: whose certificate it is, most of all. */
function isTakenOff(der: Buffer): boolean {
  let takenOff = false;
  for (const { extnID, critical, extnValue } of AsnParser.parse(der, Extensions)) {
    if (critical) throw new DerError(`an entry has the critical extension ${extnID}`);
    if (extnID !== REASON_CODE) continue;
    const reason = new DerReader(Buffer.from(extnValue.buffer)).next(0x0a).content;
    takenOff = reason.length === 1 && reason[0] === REMOVE_FROM_LIST;
  }
  return takenOff;
}

/**
 * Critical extensions of a whole list narrow it down: to some certificates of the authority, to changes since another
 * list, to certificates of other authorities. None of these is understood here.
 */
function listNumber(der: Buffer): bigint {
  let number = 0n;
  for (const { extnID, critical, extnValue } of AsnParser.parse(der, Extensions)) {
    if (critical) {
      throw new DerError(`it has the critical extension ${extnID}: only complete lists are read`);
    }
    if (extnID === CRL_NUMBER) {
      const { value } = AsnParser.parse(extnValue.buffer, CRLNumber);
      number = typeof value === "number" ? BigInt(value) : bigEndian(Buffer.from(value));
    }
  }
  return number;
}

function bigEndian(bytes: Buffer): bigint {
  return bytes.length === 0 ? 0n : BigInt(`0x${bytes.toString("hex")}`);
}

function timeOf(der: Buffer): number {
  return AsnParser.parse(der, Time).getTime().getTime();
}

function signingHash(algorithm: Buffer): string | null {
  const identifier = AsnParser.parse(algorithm, AlgorithmIdentifier).algorithm;
  const broken = brokenHash(identifier);
  if (broken !== null) throw new DerError(`its signature uses ${broken}, which can be forged`);
  const hash = hashOfAlgorithm(identifier);
  if (hash === undefined) throw new DerError(`its signature algorithm ${identifier} is not known`);
  return hash;
}

/** A key of another kind than the signature is no error: two authorities may have the same name. */
function verifies(hash: string | null, signed: Buffer, key: KeyObject, signature: Buffer): boolean {
  try {
    return verify(hash, signed, key, signature);
  } catch {
    return false;
  }
}
