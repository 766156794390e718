/** `ferrite certs check`: what others would say to a certificate and its key. */
import { readFile, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { parseHostPort, type HostPort } from "@ferrite/node/config";
import { Command, InvalidArgumentError, Option } from "commander";
import { readPasswordFile } from "../connection/password-file.ts";
import type { Style } from "../terminal/style.ts";
import { printable } from "../terminal/table.ts";
import type { World } from "../world.ts";
import { readNamedFile } from "./certificate-files.ts";
import { collect, shown } from "./certs-options.ts";
import { shakeHands, type HandshakeReport } from "./check-handshake.ts";
import {
  ROLES,
  checkRole,
  rolesOf,
  type CheckedFiles,
  type Role,
  type RoleReport,
} from "./check-roles.ts";
import {
  describeCertificate,
  describeFile,
  type CertificateDescription,
} from "./describe-files.ts";
import { CertificateError } from "./errors.ts";
import { leftText } from "./render-descriptions.ts";

interface Flags {
  readonly cert: string;
  readonly key: string;
  readonly keyPassphraseFile?: string;
  readonly ca?: string;
  readonly crl?: string;
  readonly as?: Role;
  readonly nodeName?: string;
  readonly allowedSan: readonly string[];
  readonly connect?: HostPort;
  readonly sni?: string;
  readonly output: "text" | "json";
}

const NOTES = `
A node looks at its files in the same way before it uses them: do they parse, fit, chain, are they in their time, made
for this, and does a handshake with them work? --as says what they are for: server is what clients are shown, peer what
nodes show each other, client what a program shows to a node. Without it, that is what the certificate itself says.
With --ca it is asked too what somebody who trusts that authority says, and with --crl whether it is revoked; a list
past its time counts as a reason to refuse.

The exit status is 1 when there is any problem; all of them are told.

Examples:
  $ ferrite certs check --cert certs/node-1.crt --key certs/node-1.key --ca certs/ca.crt --node-name node-1
  $ ferrite certs check --cert certs/client-app.crt --key certs/client-app.key --ca certs/ca.crt --crl certs/ca.crl
  $ ferrite certs check --cert certs/client-app.crt --key certs/client-app.key --ca certs/ca.crt --connect 10.0.0.1:6380`;

export function checkCommand(world: World, finish: (code: number) => void): Command {
  return new Command("check")
    .description("explain what others would say to a certificate and its key")
    .requiredOption("--cert <file>", "the certificate")
    .requiredOption("--key <file>", "its key")
    .option("--key-passphrase-file <file>", "the passphrase of the key")
    .option("--ca <file>", "the authorities that the other side trusts")
    .option("--crl <file>", "their revocation lists")
    .addOption(new Option("--as <role>", "what it is for").choices(ROLES))
    .option("--node-name <name>", "as a peer: the node's name, which it has to cover")
    .option("--allowed-san <pattern>", "as a peer: peer-allowed-san (repeatable)", collect, [])
    .option(
      "--connect <host:port>",
      "shake hands with this one, and tell what it shows and says",
      address,
    )
    .option("--sni <name>", "the name that its certificate has to cover instead of the host")
    .addOption(
      new Option("-o, --output <form>", "for people or programs")
        .choices(["text", "json"])
        .default("text"),
    )
    .addHelpText("after", NOTES)
    .action(async (flags: Flags) => {
      const files = filesOf(world, flags);
      const certificate = await tryDescribe(files.certFile);
      const options = { ...namesOf(flags), nowMs: Date.now() };
      const roles = flags.as === undefined ? rolesOf(certificate) : [flags.as];
      const reports: RoleReport[] = [];
      for (const role of roles) reports.push(await checkRole(role, files, options));
      const warnings = await keyWarnings(world, files.keyFile);
      const handshake = flags.connect === undefined ? null : await handshakeOf(world, files, flags);
      const found = { certificate, roles: reports, warnings, handshake };
      if (flags.output === "json") world.print(JSON.stringify(found, null, 2));
      else for (const line of lines(world, flags, found)) world.print(line);
      const isGood = [...reports, ...(handshake === null ? [] : [handshake])].every(
        ({ problems }) => problems.length === 0,
      );
      finish(isGood ? 0 : 1);
    });
}

function filesOf(world: World, flags: Flags): CheckedFiles {
  const path = (file: string | undefined): string | null =>
    file === undefined ? null : resolve(world.workingDirectory, file);
  return {
    certFile: resolve(world.workingDirectory, flags.cert),
    keyFile: resolve(world.workingDirectory, flags.key),
    keyPassphraseFile: path(flags.keyPassphraseFile),
    caFile: path(flags.ca),
    crlFile: path(flags.crl),
  };
}

/** Settings hold one name and some patterns; so do the options. @throws CertificateError badArgument */
function namesOf(flags: Flags): { nodeName?: string; allowedSans: readonly string[] } {
  const { nodeName, allowedSan } = flags;
  if (allowedSan.length > 0 && nodeName === undefined) {
    throw new CertificateError(
      "badArgument",
      "--allowed-san needs --node-name: patterns can stand for it.",
    );
  }
  return { allowedSans: allowedSan, ...(nodeName === undefined ? {} : { nodeName }) };
}

/** Null when there is nothing to describe: what is wrong with the file is told by the check itself. */
async function tryDescribe(certFile: string): Promise<CertificateDescription | null> {
  try {
    const found = describeFile(await readNamedFile(certFile), certFile, Date.now());
    return found.find((each) => each.kind === "certificate") ?? null;
  } catch (error) {
    if (error instanceof CertificateError) return null;
    throw error;
  }
}

async function keyWarnings(world: World, keyFile: string): Promise<string[]> {
  const info = await stat(keyFile).catch(() => null);
  if (info === null || (info.mode & 0o077) === 0) return [];
  const file = shown(world, keyFile);
  return [`Others on this machine can reach ${file}: chmod 600 ${file}`];
}

async function handshakeOf(
  world: World,
  files: CheckedFiles,
  flags: Flags,
): Promise<HandshakeReport> {
  const { host, port } = flags.connect ?? { host: "", port: 0 };
  const { certFile, keyFile, caFile, keyPassphraseFile } = files;
  const passphrase =
    keyPassphraseFile === null
      ? {}
      : { passphrase: await readPasswordFile(world, keyPassphraseFile, "passphrase") };
  try {
    const [cert, key, ca] = await Promise.all([
      readFile(certFile),
      readFile(keyFile),
      caFile === null ? null : readFile(caFile),
    ]);
    const context = { cert, key, ...passphrase, ...(ca === null ? {} : { ca }) };
    const serverName = flags.sni ?? null;
    return await shakeHands({ host, port, serverName, context, ping: flags.as !== "peer" });
  } catch (error) {
    const problem = `There was no handshake: ${(error as Error).message}.`;
    return { protocol: null, cipher: null, shown: null, problems: [problem] };
  }
}

interface Found {
  readonly certificate: CertificateDescription | null;
  readonly roles: readonly RoleReport[];
  readonly warnings: readonly string[];
  readonly handshake: HandshakeReport | null;
}

function lines(world: World, flags: Flags, found: Found): string[] {
  const { style } = world;
  const { certificate } = found;
  const what =
    certificate === null
      ? []
      : [
          `${printable(certificate.subject)}, signed by ${printable(certificate.issuer)}`,
          `names ${printable(certificate.names.join(", ")) || "none"}; ${leftText(certificate.daysLeft, style)}${certificate.daysLeft < 0 ? "" : " left"}`,
        ];
  return [
    style.bold(`${flags.cert} with ${flags.key}`),
    ...what.map((line) => `  ${line}`),
    ...found.roles.flatMap((report) => roleLines(report, style)),
    ...found.warnings.map((text) => `  warning: ${printable(text)}`),
    ...(found.handshake === null ? [] : handshakeLines(found.handshake, flags, style)),
  ];
}

const ROLE_TEXTS: Readonly<Record<Role, string>> = {
  server: "as a server, for clients",
  peer: "as a peer, for other nodes",
  client: "as a client, for nodes",
};

function roleLines({ role, problems, warnings }: RoleReport, style: Style): string[] {
  const verdict = problems.length === 0 ? style.good("good") : style.bad("refused");
  return [
    `  ${ROLE_TEXTS[role]}: ${verdict}`,
    ...problems.map((text) => `    ${printable(text)}`),
    ...warnings.map((text) => `    warning: ${printable(text)}`),
  ];
}

function handshakeLines(report: HandshakeReport, flags: Flags, style: Style): string[] {
  const { host = "", port = 0 } = flags.connect ?? {};
  const verdict = report.problems.length === 0 ? style.good("good") : style.bad("failed");
  const how =
    report.protocol === null ? [] : [`${report.protocol}, ${report.cipher ?? "no cipher"}`];
  return [
    `  with ${host}:${port}: ${verdict}`,
    ...[...how, ...shownLines(report)].map((line) => `    ${line}`),
    ...report.problems.map((text) => `    ${printable(text)}`),
  ];
}

function shownLines({ shown: pem }: HandshakeReport): string[] {
  if (pem === null) return [];
  const { subject, issuer, names, validUntil } = describeCertificate(pem, "", Date.now());
  return [
    printable(`it shows ${subject}, signed by ${issuer}, until ${validUntil.slice(0, 10)}`),
    printable(`names ${names.join(", ") || "none"}`),
  ];
}

function address(text: string): HostPort {
  const parsed = parseHostPort(text);
  if (parsed === null || parsed.port === 0) throw new InvalidArgumentError("It must be host:port.");
  return parsed;
}
