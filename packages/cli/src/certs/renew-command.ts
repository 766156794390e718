/** `ferrite certs renew`: a new certificate in the place of an old one. */
import { resolve } from "node:path";
import type * as x509 from "@peculiar/x509";
import { webcrypto } from "node:crypto";
import { Command } from "commander";
import type { World } from "../world.ts";
import { exchangeCertificate, exchangePair, oldFile, readIfThere } from "./certificate-files.ts";
import { certificateFile, keyFileFor, readCertificate } from "./certificate-target.ts";
import { normalSerial, readIndex, type IndexEntry } from "./certificate-index.ts";
import {
  algorithmOption,
  authorityDirectory,
  newKeyPassphrase,
  parseDays,
  shown,
  withSigning,
  type SigningFlags,
} from "./certs-options.ts";
import { layoutOf } from "./directory-layout.ts";
import { CertificateError } from "./errors.ts";
import { recordIssued } from "./issued.ts";
import type { KeyAlgorithm } from "./key-algorithm.ts";
import { openAuthorityIn, type OpenedAuthority } from "./open-authority.ts";
import { encryptKey, isEncrypted } from "./private-key.ts";
import { renewCertificate } from "./renew.ts";

interface Flags extends SigningFlags {
  readonly days?: number;
  readonly algorithm?: KeyAlgorithm;
  readonly key?: string;
  readonly keepKey: boolean;
  readonly keyPassphraseFile?: string;
  readonly newAuthority: boolean;
}

const NOTES = `
Subject, names and uses stay; dates, serial number and (without --keep-key) the key are new. The files are exchanged
in place, and a running node takes them up by itself. The old ones stay beside them as .old; what they hold is good
until it expires or is revoked.

Examples:
  $ ferrite certs renew node-1
  $ ferrite certs renew client-app --days 30
  $ ferrite certs renew certs/node-1.crt --keep-key
  $ ferrite certs renew node-1 --ca-dir new-ca --new-authority     changing over to another authority`;

export function renewCommand(world: World): Command {
  return withSigning(new Command("renew"))
    .description("make a new certificate in the place of an old one")
    .argument("<name|file>", "a node, a client, or the file of a certificate")
    .option("--days <days>", "how long it is valid; as long as the old one", parseDays)
    .addOption(algorithmOption())
    .option("--key <file>", "the key's file, when its name does not say whose it is")
    .option("--keep-key", "only the certificate is new", false)
    .option("--key-passphrase-file <file>", "encrypt the new key with this passphrase")
    .option("--new-authority", "the old one was signed by another authority", false)
    .addHelpText("after", NOTES)
    .action(async (target: string, flags: Flags) => renew(world, target, flags));
}

async function renew(world: World, target: string, flags: Flags): Promise<void> {
  const layout = layoutOf(resolve(world.workingDirectory, flags.out));
  const certFile = certificateFile(world, layout, target);
  const old = await readCertificate(world, certFile);
  const keyFile = flags.keepKey ? null : keyFileFor(world, certFile, flags.key);
  await checkEncryption(world, keyFile, flags);
  const directory = authorityDirectory(world, flags);
  const authority = await openAuthorityIn(world, directory, flags.caPassphraseFile);
  if (!flags.newAuthority) await requireSigned(old, authority, shown(world, certFile));
  const known = await findEntry(old, authority);
  refuseRevoked(known, shown(world, certFile));
  const passphrase = await newKeyPassphrase(world, flags.keyPassphraseFile);
  const { certificatePem, privateKeyPem } = await renewCertificate(authority.signer, old, {
    days: flags.days ?? null,
    algorithm: flags.algorithm ?? null,
    keepKey: flags.keepKey,
    nowMs: Date.now(),
  });
  const { use, name } = known ?? { use: "unknown" as const, name: commonNameOf(old) };
  await recordIssued(authority, { certificatePem, use, name });
  if (keyFile === null || privateKeyPem === null) {
    await exchangeCertificate(certFile, certificatePem);
  } else {
    const pair = { certificatePem, privateKeyPem: encryptKey(privateKeyPem, passphrase) };
    await exchangePair({ certFile, keyFile }, pair);
  }
  const files = [certFile, ...(keyFile === null ? [] : [keyFile])];
  world.print(`Renewed: ${files.map((file) => shown(world, file)).join(", key ")}`);
  world.print(`The old: ${files.map((file) => shown(world, oldFile(file))).join(", ")}`);
}

/** A key that was encrypted is not followed by one that everybody can read because an option was forgotten. */
async function checkEncryption(world: World, keyFile: string | null, flags: Flags): Promise<void> {
  if (keyFile === null) {
    const unused = flags.algorithm ?? flags.keyPassphraseFile;
    if (unused === undefined) return;
    throw new CertificateError(
      "badArgument",
      "--keep-key keeps the key as it is: leave out what is for a new one.",
    );
  }
  const pem = (await readIfThere(keyFile))?.toString("latin1") ?? "";
  if (!isEncrypted(pem) || flags.keyPassphraseFile !== undefined) return;
  throw new CertificateError(
    "badPassphrase",
    `${shown(world, keyFile)} is encrypted: say with --key-passphrase-file how the new key shall be, or --keep-key.`,
  );
}

async function requireSigned(
  old: x509.X509Certificate,
  authority: OpenedAuthority,
  file: string,
): Promise<void> {
  const signer = authority.signer.certificate;
  const isOurs = await old.verify({ publicKey: signer.publicKey, signatureOnly: true }, webcrypto);
  if (isOurs) return;
  throw new CertificateError(
    "badAuthority",
    `${file} was signed by "${old.issuer}", not by "${signer.subject}" of ${authority.layout.directory}. ` +
      "Name that authority's directory with --ca-dir, or change over to this one with --new-authority.",
  );
}

async function findEntry(
  old: x509.X509Certificate,
  authority: OpenedAuthority,
): Promise<IndexEntry | undefined> {
  const { entries } = await readIndex(authority.layout.indexFile, authority.fingerprint);
  const serial = normalSerial(old.serialNumber);
  return entries.find((entry) => entry.serial === serial);
}

function refuseRevoked(entry: IndexEntry | undefined, file: string): void {
  if (entry === undefined || entry.revokedAt === null) return;
  throw new CertificateError(
    "badCertificate",
    `${file} was revoked on ${entry.revokedAt} (${entry.reason ?? "unspecified"}). Who shall have one again gets a new ` +
      "one with `ferrite certs node` or `ferrite certs client`, and --force.",
  );
}

function commonNameOf(certificate: x509.X509Certificate): string {
  return certificate.subjectName.getField("CN")[0] ?? "";
}
