/**
 * What an authority has issued and revoked: `ca-index.json` beside it, 0600. It is the memory behind
 * `ferrite certs revoke NAME`; a certificate can be revoked by its file or serial number without it.
 */
import { KEY_MODE, readIfThere, replaceFile } from "./certificate-files.ts";
import { CertificateError } from "./errors.ts";

const VERSION = 1;

export type CertificateUse = "node" | "client";

/** A certificate that was issued here, or that was revoked here without having been. */
export interface IndexEntry {
  /** Lower-case hex, without zeros in front. */
  readonly serial: string;
  readonly use: CertificateUse | "unknown";
  /** The node's or client's name; empty when only the serial is known. */
  readonly name: string;
  readonly subject: string;
  /** ISO 8601; null when only the serial is known. */
  readonly notAfter: string | null;
  /** ISO 8601; null: it is good. */
  readonly revokedAt: string | null;
  readonly reason: string | null;
}

export interface CertificateIndex {
  /** SHA-256 of the authority's certificate, lower-case hex: the index of another authority says nothing here. */
  readonly authority: string;
  /** Of the last revocation list; 0: there is none yet. */
  readonly crlNumber: number;
  readonly entries: readonly IndexEntry[];
}

/**
 * The index of `authority`, empty when there is no file yet.
 * @throws CertificateError badIndex, fileSystem
 */
export async function readIndex(file: string, authority: string): Promise<CertificateIndex> {
  const bytes = await readIfThere(file);
  if (bytes === null) return { authority, crlNumber: 0, entries: [] };
  const index = decode(bytes.toString("utf8"));
  if (index === null) {
    throw new CertificateError(
      "badIndex",
      `${file} is damaged, and what was revoked may be lost with it. Restore it from a copy, or move it away: ` +
        "revocations are then taken from the revocation list beside it.",
    );
  }
  if (index.authority !== authority) {
    throw new CertificateError(
      "badIndex",
      `${file} belongs to another authority than the one beside it. Move it away, or put that authority back.`,
    );
  }
  return index;
}

/** @throws CertificateError fileSystem */
export async function writeIndex(file: string, index: CertificateIndex): Promise<void> {
  const { authority, crlNumber, entries } = index;
  const text = JSON.stringify(
    { version: VERSION, authority, crlNumber, certificates: entries },
    null,
    2,
  );
  await replaceFile(file, `${text}\n`, KEY_MODE);
}

/** Serial numbers as they are compared: lower-case hex without colons and zeros in front. */
export function normalSerial(text: string): string {
  const digits = text.toLowerCase().replace(/^0x/, "").replaceAll(":", "");
  return digits.replace(/^0+(?=.)/, "");
}

/** Null when it is not of this form: what can not be read as a whole is not guessed at. */
function decode(text: string): CertificateIndex | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  const { version, authority, crlNumber, certificates } = fieldsOf(value);
  if (version !== VERSION || typeof authority !== "string" || !Array.isArray(certificates)) {
    return null;
  }
  if (typeof crlNumber !== "number" || !Number.isSafeInteger(crlNumber) || crlNumber < 0)
    return null;
  const entries = certificates.map(decodeEntry);
  return entries.every((entry) => entry !== null) ? { authority, crlNumber, entries } : null;
}

function decodeEntry(value: unknown): IndexEntry | null {
  const { serial, use, name, subject, notAfter, revokedAt, reason } = fieldsOf(value);
  if (typeof serial !== "string" || !/^[0-9a-f]+$/.test(serial)) return null;
  if (typeof name !== "string" || typeof subject !== "string") return null;
  if (use !== "node" && use !== "client" && use !== "unknown") return null;
  if (!isTimeOrNull(notAfter) || !isTimeOrNull(revokedAt)) return null;
  if (reason !== null && typeof reason !== "string") return null;
  return { serial, use, name, subject, notAfter, revokedAt, reason };
}

function isTimeOrNull(value: unknown): value is string | null {
  return value === null || (typeof value === "string" && !Number.isNaN(Date.parse(value)));
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
