/** `ferrite certs revoke`: takes a certificate back before it expires. */
import { resolve } from "node:path";
import { Command, Option } from "commander";
import type { World } from "../world.ts";
import { certificateFile, looksLikeFile, readCertificate } from "./certificate-target.ts";
import { normalSerial, type CertificateIndex, type IndexEntry } from "./certificate-index.ts";
import { authorityDirectory, shown, withSigning, type SigningFlags } from "./certs-options.ts";
import { parseListDays, printList } from "./crl-command.ts";
import { withoutClientPrefix } from "./directory-layout.ts";
import { CertificateError } from "./errors.ts";
import { openAuthorityIn, type OpenedAuthority } from "./open-authority.ts";
import { publishRevocations } from "./publish-revocations.ts";
import { CRL_DAYS_DEFAULT, REVOCATION_REASONS, type RevocationReason } from "./revocation-list.ts";

interface Flags extends SigningFlags {
  readonly reason: RevocationReason;
  readonly days: number;
}

const NOTES = `
By name every certificate is revoked that the node or client has and that has not expired, also those that were renewed
since. To revoke one of them, name its file (node-1.crt.old) or its serial number.

The new revocation list counts when the nodes have it: copy ca.crl to where tls-crl-file and peer-tls-crl-file name it.
They see it by themselves, and connections of what was revoked end within a second.

Examples:
  $ ferrite certs revoke client-app --reason keyCompromise
  $ ferrite certs revoke certs/node-1.crt.old --reason superseded
  $ ferrite certs revoke 5f3a0c6b2d9e47f1a8b3c2d1e0f4a596`;

/** Shorter numbers are taken for names. */
const SERIAL = /^(0x)?[0-9a-f:]{16,64}$/i;

export function revokeCommand(world: World): Command {
  return withSigning(new Command("revoke"))
    .description("revoke certificates, and sign the list that says so")
    .argument(
      "<names|files|serials...>",
      "nodes, clients, files of certificates, or serial numbers",
    )
    .addOption(
      new Option("--reason <reason>", "why").choices(REVOCATION_REASONS).default("unspecified"),
    )
    .option("--days <days>", "when the next list is due", parseListDays, CRL_DAYS_DEFAULT)
    .addHelpText("after", NOTES)
    .action(async (targets: readonly string[], flags: Flags) => revoke(world, targets, flags));
}

async function revoke(world: World, targets: readonly string[], flags: Flags): Promise<void> {
  const directory = authorityDirectory(world, flags);
  const authority = await openAuthorityIn(world, directory, flags.caPassphraseFile);
  const choosers = await Promise.all(targets.map((target) => chooser(world, target, authority)));
  const nowMs = Date.now();
  const { reason, days } = flags;
  const published = await publishRevocations(authority, {
    days,
    nowMs,
    choose: (index) => {
      const chosen = new Map(
        choosers.flatMap((choose) => choose(index, nowMs)).map((entry) => [entry.serial, entry]),
      );
      const revokedAt = new Date(nowMs).toISOString();
      return [...chosen.values()].map((entry) => ({ ...entry, revokedAt, reason }));
    },
  });
  for (const { serial, subject } of published.added) {
    world.print(
      `Revoked: ${[subject, `serial ${serial}`].filter((word) => word !== "").join(", ")}`,
    );
  }
  printList(world, published);
}

/** What of the index is meant; asked while the index is locked, so that nothing is issued in between. */
type Chooser = (index: CertificateIndex, nowMs: number) => readonly IndexEntry[];

async function chooser(world: World, target: string, authority: OpenedAuthority): Promise<Chooser> {
  if (looksLikeFile(world, target)) return fileChooser(world, target, authority);
  if (SERIAL.test(target)) return (index) => [bySerial(index, normalSerial(target), {})];
  return (index, nowMs) => byName(index, target, nowMs);
}

async function fileChooser(
  world: World,
  target: string,
  { layout, signer }: OpenedAuthority,
): Promise<Chooser> {
  const file = certificateFile(world, layout, resolve(world.workingDirectory, target));
  const certificate = await readCertificate(world, file);
  const isOurs = await certificate.verify({
    publicKey: signer.certificate.publicKey,
    signatureOnly: true,
  });
  if (!isOurs) {
    throw new CertificateError(
      "badAuthority",
      `${shown(world, file)} was signed by "${certificate.issuer}": only that authority can revoke it.`,
    );
  }
  const serial = normalSerial(certificate.serialNumber);
  if (serial === normalSerial(signer.certificate.serialNumber)) {
    throw new CertificateError(
      "badArgument",
      `${shown(world, file)} is the authority itself. Take it out of the bundles of nodes and clients instead.`,
    );
  }
  const { subject, notAfter } = certificate;
  return (index) => [bySerial(index, serial, { subject, notAfter: notAfter.toISOString() })];
}

/** @throws CertificateError badArgument when it is revoked already */
function bySerial(
  index: CertificateIndex,
  serial: string,
  facts: { readonly subject?: string; readonly notAfter?: string },
): IndexEntry {
  const known = index.entries.find((entry) => entry.serial === serial);
  if (known !== undefined && known.revokedAt !== null) {
    throw new CertificateError(
      "badArgument",
      `${serial} is revoked already, since ${known.revokedAt}.`,
    );
  }
  const { subject = "", notAfter = null } = facts;
  return (
    known ?? { serial, use: "unknown", name: "", subject, notAfter, revokedAt: null, reason: null }
  );
}

function byName(index: CertificateIndex, target: string, nowMs: number): readonly IndexEntry[] {
  const isClient = withoutClientPrefix(target) !== target;
  const name = withoutClientPrefix(target);
  const named = index.entries.filter(
    (entry) => entry.name === name && (!isClient || entry.use !== "node"),
  );
  if (new Set(named.map((entry) => entry.use)).size > 1) {
    throw new CertificateError(
      "badArgument",
      `"${target}" is a node and a client here: name the file${isClient ? "" : ` or client-${name}`}, or the serial number.`,
    );
  }
  const good = named.filter(
    (entry) =>
      entry.revokedAt === null && (entry.notAfter === null || Date.parse(entry.notAfter) > nowMs),
  );
  if (good.length > 0) return good;
  const why = named.length === 0 ? "was issued here" : "is still good";
  throw new CertificateError(
    "notFound",
    `No certificate of "${target}" ${why}. Name the file of the certificate, or its serial number.`,
  );
}
