/**
 * Revocation lists (RFC 5280, section 5): which certificates of an authority are no longer good. Signed by the authority,
 * numbered, with the time by which the next one is due.
 */
import "./reflect-metadata.ts";
import { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";
import { DAY_MS, type SigningAuthority } from "./authority.ts";
import { CertificateError } from "./errors.ts";
import { authorityKeyIdentifier } from "./issue.ts";
import { decodeDerInteger, encodeDerInteger } from "./der-integer.ts";

const PEM_LABEL = "X509 CRL";
const CRL_NUMBER = "2.5.29.20";
const REASON_CODE = "2.5.29.21";
const ENUMERATED_TAG = 0x0a;
export const CRL_DAYS_DEFAULT = 30;
export const CRL_DAYS_MAX = 3650;

/** Why a certificate is revoked. Those of RFC 5280 that a list of ours can have: nothing is only held back here. */
export const REVOCATION_REASONS = [
  "unspecified",
  "keyCompromise",
  "affiliationChanged",
  "superseded",
  "cessationOfOperation",
  "privilegeWithdrawn",
] as const;

export type RevocationReason = (typeof REVOCATION_REASONS)[number];

export interface Revocation {
  /** Lower-case hex. */
  readonly serial: string;
  /** Unix ms. */
  readonly revokedAtMs: number;
  readonly reason: string;
}

/** A list that was read. */
export interface RevocationList {
  readonly issuer: string;
  /** Null when it has none. */
  readonly number: bigint | null;
  readonly thisUpdateMs: number;
  readonly nextUpdateMs: number | null;
  readonly revocations: readonly Revocation[];
}

/** Signs a list. Its times are whole seconds. @returns PEM text */
export async function signRevocationList(
  signer: SigningAuthority,
  list: {
    readonly number: bigint;
    readonly revocations: readonly Revocation[];
    readonly days: number;
    readonly nowMs: number;
  },
): Promise<string> {
  const crl = await x509.X509CrlGenerator.create(
    {
      issuer: signer.certificate.subjectName,
      thisUpdate: new Date(list.nowMs),
      nextUpdate: new Date(list.nowMs + list.days * DAY_MS),
      signingKey: signer.signingKey,
      signingAlgorithm: signer.signingAlgorithm,
      extensions: [
        await authorityKeyIdentifier(signer.certificate),
        new x509.Extension(CRL_NUMBER, false, encodeDerInteger(list.number)),
      ],
      entries: list.revocations.map(({ serial, revokedAtMs, reason }) => ({
        serialNumber: serial,
        revocationDate: new Date(revokedAtMs),
        extensions: [reasonExtension(reason)],
      })),
    },
    webcrypto,
  );
  // The library's own label is not the one that other programs look for.
  return `${x509.PemConverter.encode(crl.rawData, PEM_LABEL).trimEnd()}\n`;
}

/** @throws CertificateError badCertificate; `where` names the file */
export function readRevocationList(bytes: Buffer, where: string): RevocationList {
  try {
    return listOf(parse(bytes));
  } catch (cause) {
    throw new CertificateError("badCertificate", `${where} is not a revocation list.`, { cause });
  }
}

/** Whether this authority has signed the list. @throws CertificateError badCertificate */
export async function isSignedBy(
  bytes: Buffer,
  authority: x509.X509Certificate,
  where: string,
): Promise<boolean> {
  try {
    return await parse(bytes).verify({ publicKey: authority }, webcrypto);
  } catch (cause) {
    throw new CertificateError("badCertificate", `${where} is not a revocation list.`, { cause });
  }
}

function parse(bytes: Buffer): x509.X509Crl {
  const isPem = bytes.includes("-----BEGIN");
  if (!isPem) return new x509.X509Crl(new Uint8Array(bytes));
  const blocks = x509.PemConverter.decodeWithHeaders(bytes.toString("latin1"));
  const block = blocks.find(({ type }) => type === PEM_LABEL);
  if (block === undefined) throw new Error(`there is no block "${PEM_LABEL}"`);
  return new x509.X509Crl(block.rawData);
}

function listOf(crl: x509.X509Crl): RevocationList {
  const number = crl.getExtension(CRL_NUMBER);
  return {
    issuer: crl.issuer,
    number: number === null ? null : decodeDerInteger(new Uint8Array(number.value)),
    thisUpdateMs: crl.thisUpdate.getTime(),
    nextUpdateMs: crl.nextUpdate?.getTime() ?? null,
    revocations: crl.entries.map((entry) => ({
      serial: entry.serialNumber.toLowerCase(),
      revokedAtMs: entry.revocationDate.getTime(),
      reason: x509.X509CrlReason[entry.reason ?? 0] ?? "unspecified",
    })),
  };
}

/**
 * Always there, also for "unspecified": the library would write an empty list of extensions, which strict readers refuse
 * (RFC 5280, 5.1: at least one, or no list).
 */
function reasonExtension(reason: string): x509.Extension {
  const code =
    x509.X509CrlReason[reason as keyof typeof x509.X509CrlReason] ?? x509.X509CrlReason.unspecified;
  return new x509.Extension(REASON_CODE, false, Uint8Array.from([ENUMERATED_TAG, 1, code]));
}
