/** Certificates, keys and revocation lists as lines for people. Nothing in them may drive the terminal. */
import type { Style } from "../terminal/style.ts";
import { printable } from "../terminal/table.ts";
import type {
  CertificateDescription,
  FileDescription,
  KeyDescription,
  ListDescription,
} from "./describe-files.ts";

/** From then on the end of a certificate is shown as something to see to. */
export const SOON_DAYS = 30;
/** Of a long list the newest are shown; `-o json` has all. */
export const REVOKED_SHOWN_MAX = 20;

type Row = readonly [string, string];

export function descriptionLines(description: FileDescription, style: Style): string[] {
  const rows = rowsOf(description, style);
  const width = Math.max(...rows.map(([name]) => name.length));
  return [
    style.bold(printable(`${description.file}: ${titleOf(description)}`)),
    ...rows.map(([name, text]) => `  ${style.dim(name.padEnd(width))}  ${text}`),
  ];
}

function titleOf(description: FileDescription): string {
  if (description.kind === "revocationList") return "a revocation list";
  if (description.kind === "certificate") {
    return description.authority ? "an authority" : "a certificate";
  }
  return description.encrypted ? "a private key, encrypted" : "a private key";
}

function rowsOf(description: FileDescription, style: Style): Row[] {
  if (description.kind === "revocationList") return listRows(description, style);
  return description.kind === "certificate"
    ? certificateRows(description, style)
    : keyRows(description);
}

function certificateRows(certificate: CertificateDescription, style: Style): Row[] {
  const { names, uses, issuer } = certificate;
  return [
    ["subject", printable(certificate.subject)],
    ["issuer", certificate.selfSigned ? "itself" : printable(issuer)],
    ["serial", certificate.serial],
    ["names", names.length === 0 ? "none" : printable(names.join(", "))],
    ["good as", certificate.authority ? "an authority" : usesText(uses)],
    ["valid", `${day(certificate.validFrom)} to ${day(certificate.validUntil)}`],
    ["left", leftText(certificate.daysLeft, style)],
    ["key", printable(`${certificate.key}, signed with ${certificate.signature}`)],
    ["SHA-256", certificate.fingerprint],
  ];
}

function usesText(uses: readonly string[]): string {
  return uses.length === 0 ? "anything (it does not say)" : printable(uses.join(" and "));
}

function keyRows(key: KeyDescription): Row[] {
  if (key.encrypted) return [["key", "its kind is not known without its passphrase"]];
  return [
    ["key", printable(key.key ?? "unknown")],
    ["public", key.publicKeyFingerprint ?? ""],
  ];
}

function listRows(list: ListDescription, style: Style): Row[] {
  const newest = list.revoked
    .toSorted((a, b) => b.revokedAt.localeCompare(a.revokedAt))
    .slice(0, REVOKED_SHOWN_MAX);
  const more = list.revoked.length - newest.length;
  const due = list.nextUpdate === null ? "not said" : day(list.nextUpdate);
  return [
    ["issuer", printable(list.issuer)],
    ["number", list.number ?? "none"],
    ["signed", day(list.thisUpdate)],
    ["due", list.daysLeft === null ? due : `${due} (${leftText(list.daysLeft, style)})`],
    ["revoked", String(list.revoked.length)],
    ...newest.map(({ serial, revokedAt, reason }): Row => [
      "",
      `${serial}  ${day(revokedAt)}  ${reason}`,
    ]),
    ...(more > 0 ? [["", `and ${more} more`] as const] : []),
  ];
}

/** "12 days", painted when somebody has to act. */
export function leftText(daysLeft: number, style: Style): string {
  // Days are rounded down: minus one is the day that has just ended.
  if (daysLeft === -1) return style.bad("ended less than a day ago");
  if (daysLeft < 0) return style.bad(`ended ${daysText(-daysLeft - 1)} ago`);
  const text = daysLeft === 0 ? "less than a day" : daysText(daysLeft);
  return daysLeft < SOON_DAYS ? style.bad(text) : text;
}

function daysText(days: number): string {
  return days === 1 ? "1 day" : `${days} days`;
}

function day(time: string): string {
  return time.slice(0, 16).replace("T", " ");
}
