/** Takes PEM files apart (RFC 7468). What stands between the blocks is for people and left out. */
import { X509Certificate } from "node:crypto";
import { certificateError } from "./errors.ts";
import { CERTIFICATES_MAX } from "./limits.ts";
import { nameOf, type RawFile } from "./read-files.ts";

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----([\s\S]*?)-----END \1-----/g;
const BEGIN = /-----BEGIN [A-Z0-9 ]+-----/g;
/** A DER file begins with a SEQUENCE of two or more length bytes. */
const SEQUENCE = 0x30;

export interface PemBlock {
  /** "CERTIFICATE", "X509 CRL", "PRIVATE KEY". */
  readonly label: string;
  readonly text: string;
  readonly der: Buffer;
}

/** Every block of a file; null when one begins and does not end. */
export function pemBlocks(bytes: Buffer): readonly PemBlock[] | null {
  const text = bytes.toString("latin1");
  const blocks = [...text.matchAll(BLOCK)].map(([whole, label, body]) => ({
    label,
    text: whole,
    der: Buffer.from(withoutHeaders(body), "base64"),
  }));
  const begun = text.match(BEGIN)?.length ?? 0;
  return begun === blocks.length ? blocks : null;
}

/** Keys in OpenSSL's old form have headers ("Proc-Type: 4,ENCRYPTED") in front of the base64. */
function withoutHeaders(body: string): string {
  return body.replace(/^[A-Za-z-]+:.*$/gm, "");
}

export function isDer(bytes: Buffer): boolean {
  return bytes.length > 2 && bytes[0] === SEQUENCE;
}

const CERTIFICATE_LABELS: ReadonlySet<string> = new Set(["CERTIFICATE", "X509 CERTIFICATE"]);

/**
 * The certificates of a file, in PEM (one or many) or DER (one).
 * @throws CertificateError malformedCertificate, tooLarge
 */
export function certificatesOf(file: RawFile): readonly X509Certificate[] {
  if (isDer(file.bytes)) return [parse(file, file.bytes, 0)];
  const blocks = pemBlocks(file.bytes);
  if (blocks === null) {
    const text = `${nameOf(file)} is cut off: a block begins in it that does not end.`;
    throw certificateError("malformedCertificate", text);
  }
  const found = blocks.filter(({ label }) => CERTIFICATE_LABELS.has(label));
  if (found.length === 0) {
    const holds = blocks.length === 0 ? "" : ` (it holds: ${blocks[0].label.toLowerCase()})`;
    const text = `${nameOf(file)} holds no certificate in PEM form${holds}.`;
    throw certificateError("malformedCertificate", text);
  }
  if (found.length > CERTIFICATES_MAX) {
    const text = `${nameOf(file)} holds more than ${CERTIFICATES_MAX} certificates: is it the right file?`;
    throw certificateError("tooLarge", text);
  }
  return found.map(({ der }, index) => parse(file, der, index));
}

function parse(file: RawFile, der: Buffer, index: number): X509Certificate {
  try {
    return new X509Certificate(der);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const text = `Certificate ${index + 1} in ${nameOf(file)} is damaged (${reason}).`;
    throw certificateError("malformedCertificate", text);
  }
}
