/** Revokes, and signs the list that says so. */
import { DAY_MS } from "./authority.ts";
import { CERTIFICATE_MODE, readIfThere, replaceFile } from "./certificate-files.ts";
import {
  readIndex,
  writeIndex,
  type CertificateIndex,
  type IndexEntry,
} from "./certificate-index.ts";
import { normalSerial } from "./certificate-index.ts";
import { withLock } from "./directory-lock.ts";
import { CertificateError } from "./errors.ts";
import type { OpenedAuthority } from "./open-authority.ts";
import {
  isSignedBy,
  readRevocationList,
  signRevocationList,
  type Revocation,
  type RevocationList,
} from "./revocation-list.ts";

/** An expired certificate is refused without a list; this long after for the sake of clocks that are behind. */
const KEPT_AFTER_EXPIRY_MS = DAY_MS;

export interface PublishedList {
  readonly file: string;
  readonly number: number;
  readonly revoked: number;
  readonly nextUpdate: Date;
  /** Those that are new in the list. */
  readonly added: readonly IndexEntry[];
}

/**
 * Signs the next list. `choose` picks what is to be revoked from what was issued, while nobody else changes it.
 * The index is written before the list: after a crash in between, the next list has the revocation.
 * @throws CertificateError busy, badIndex, badCertificate, fileSystem
 */
export async function publishRevocations(
  authority: OpenedAuthority,
  options: {
    readonly days: number;
    readonly nowMs: number;
    readonly choose: (index: CertificateIndex) => readonly IndexEntry[];
  },
): Promise<PublishedList> {
  const { layout, fingerprint, signer } = authority;
  return await withLock(`${layout.indexFile}.lock`, async () => {
    const published = await readPublished(authority);
    const known = withPublished(await readIndex(layout.indexFile, fingerprint), published);
    const added = options.choose(known);
    const entries = merged(known.entries, added);
    const number = nextNumber(known.crlNumber, published);
    await writeIndex(layout.indexFile, { ...known, crlNumber: number, entries });
    const revocations = listed(entries, options.nowMs);
    const { days, nowMs } = options;
    const pem = await signRevocationList(signer, {
      number: BigInt(number),
      revocations,
      days,
      nowMs,
    });
    await replaceFile(layout.crlFile, pem, CERTIFICATE_MODE);
    const nextUpdate = new Date(nowMs + days * DAY_MS);
    return { file: layout.crlFile, number, revoked: revocations.length, nextUpdate, added };
  });
}

async function readPublished({ layout, signer }: OpenedAuthority): Promise<RevocationList | null> {
  const bytes = await readIfThere(layout.crlFile);
  if (bytes === null) return null;
  const list = readRevocationList(bytes, layout.crlFile);
  if (await isSignedBy(bytes, signer.certificate, layout.crlFile)) return list;
  throw new CertificateError(
    "badCertificate",
    `${layout.crlFile} is a list of another authority (${list.issuer}). Move it away first.`,
  );
}

/** What a list once said stays said, also when the index was lost. */
function withPublished(
  index: CertificateIndex,
  published: RevocationList | null,
): CertificateIndex {
  const entries = (published?.revocations ?? []).map((revocation) => ({
    serial: normalSerial(revocation.serial),
    use: "unknown" as const,
    name: "",
    subject: "",
    notAfter: null,
    revokedAt: new Date(revocation.revokedAtMs).toISOString(),
    reason: revocation.reason,
  }));
  const known = new Map(index.entries.map((entry) => [entry.serial, entry]));
  const missing = entries.filter((entry) => (known.get(entry.serial)?.revokedAt ?? null) === null);
  return { ...index, entries: merged(index.entries, missing) };
}

/** A revocation joins what is known of the same certificate, or stands alone. */
function merged(entries: readonly IndexEntry[], added: readonly IndexEntry[]): IndexEntry[] {
  const bySerial = new Map(entries.map((entry) => [entry.serial, entry]));
  for (const entry of added) {
    const known = bySerial.get(entry.serial) ?? entry;
    bySerial.set(entry.serial, { ...known, revokedAt: entry.revokedAt, reason: entry.reason });
  }
  return [...bySerial.values()];
}

function nextNumber(last: number, published: RevocationList | null): number {
  const before = Math.max(last, Number(published?.number ?? 0n));
  if (!Number.isSafeInteger(before + 1)) {
    throw new CertificateError(
      "badIndex",
      `The number of the last revocation list (${before}) can not be counted up.`,
    );
  }
  return before + 1;
}

function listed(entries: readonly IndexEntry[], nowMs: number): Revocation[] {
  return entries.flatMap(({ serial, revokedAt, reason, notAfter }) => {
    if (revokedAt === null) return [];
    const isPast = notAfter !== null && Date.parse(notAfter) + KEPT_AFTER_EXPIRY_MS < nowMs;
    if (isPast) return [];
    return [{ serial, revokedAtMs: Date.parse(revokedAt), reason: reason ?? "unspecified" }];
  });
}
