/** Writes down what an authority issues, before the files are there: what is not written down can not be revoked by name. */
import { X509Certificate } from "node:crypto";
import {
  normalSerial,
  readIndex,
  writeIndex,
  type CertificateIndex,
  type CertificateUse,
  type IndexEntry,
} from "./certificate-index.ts";
import { withLock } from "./directory-lock.ts";
import type { OpenedAuthority } from "./open-authority.ts";

type IndexedAuthority = Pick<OpenedAuthority, "layout" | "fingerprint">;

/** @throws CertificateError busy, badIndex, fileSystem */
export async function recordIssued(
  authority: IndexedAuthority,
  issued: {
    readonly certificatePem: string;
    readonly use: CertificateUse | "unknown";
    readonly name: string;
  },
): Promise<void> {
  const certificate = new X509Certificate(issued.certificatePem);
  const entry: IndexEntry = {
    serial: normalSerial(certificate.serialNumber),
    use: issued.use,
    name: issued.name,
    subject: oneLine(certificate.subject),
    notAfter: certificate.validToDate.toISOString(),
    revokedAt: null,
    reason: null,
  };
  await changeIndex(authority, (index) => ({ ...index, entries: [...index.entries, entry] }));
}

/** Changes the index while nobody else does. */
export async function changeIndex(
  authority: IndexedAuthority,
  change: (index: CertificateIndex) => CertificateIndex,
): Promise<void> {
  const { indexFile } = authority.layout;
  await withLock(`${indexFile}.lock`, async () => {
    await writeIndex(indexFile, change(await readIndex(indexFile, authority.fingerprint)));
  });
}

/** Node puts each part of a name on a line of its own. */
export function oneLine(name: string): string {
  return name.split("\n").join(", ");
}
