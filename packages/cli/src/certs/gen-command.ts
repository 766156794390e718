/** `ferrite certs gen`: an authority and the certificates of all nodes at once. */
import { join, resolve } from "node:path";
import { Command } from "commander";
import type { World } from "../world.ts";
import {
  AUTHORITY_DAYS_DEFAULT,
  createAuthority,
  openAuthority,
  type CertificatePair,
} from "./authority.ts";
import {
  CERTIFICATE_MODE,
  makeDirectory,
  refuseExisting,
  refuseExistingFile,
  replaceFile,
  setAside,
  writePair,
} from "./certificate-files.ts";
import {
  CERTIFICATE_DIRECTORY_DEFAULT,
  collect,
  newKeyPassphrase,
  parseDays,
  shown,
  withAlgorithm,
} from "./certs-options.ts";
import { newLayout, refuseReservedName, type DirectoryLayout } from "./directory-layout.ts";
import { CertificateError } from "./errors.ts";
import { NODE_DAYS_DEFAULT, issueClientCertificate, issueNodeCertificate } from "./issue.ts";
import { recordIssued } from "./issued.ts";
import type { KeyAlgorithm } from "./key-algorithm.ts";
import { fingerprintOf } from "./open-authority.ts";
import { encryptKey } from "./private-key.ts";

interface Flags {
  readonly out: string;
  readonly days: number;
  readonly caDays: number;
  readonly algorithm: KeyAlgorithm;
  readonly client: readonly string[];
  readonly discardCaKey: boolean;
  readonly caPassphraseFile?: string;
  readonly force: boolean;
}

/** More nodes than a cluster has, by far. */
export const NODES_MAX = 100;

const NOTES = `
Makes ca.pem, and for each node <node>/cert.pem and <node>/key.pem. A node is given as its name, or as its name with the
hosts it is reached by: node1=10.0.0.1,cache-1.example.org. With --discard-ca-key the authority's key is in no file at
any time; nothing can be renewed or revoked then, only made anew as a whole.

Examples:
  $ ferrite certs gen node1 node2 node3 --out ./certs
  $ ferrite certs gen node1=10.0.0.1 node2=10.0.0.2 node3=10.0.0.3 --client app
  $ ferrite certs gen node1 node2 node3 --ca-passphrase-file ca.pass`;

export function genCommand(world: World): Command {
  return withAlgorithm(new Command("gen"))
    .description("make an authority and the certificates of all nodes at once")
    .argument("<nodes...>", "names of nodes; name=host,host for those reached by other names")
    .option("--out <directory>", "where the files go", CERTIFICATE_DIRECTORY_DEFAULT)
    .option("--client <name>", "a client program's certificate too (repeatable)", collect, [])
    .option("--days <days>", "how long the certificates are valid", parseDays, NODE_DAYS_DEFAULT)
    .option("--ca-days <days>", "how long the authority is", parseDays, AUTHORITY_DAYS_DEFAULT)
    .option("--discard-ca-key", "throw the authority's key away when all is signed", false)
    .option("--ca-passphrase-file <file>", "encrypt the authority's key; - is standard input")
    .option("--force", "overwrite what is there", false)
    .addHelpText("after", NOTES)
    .action(async (nodes: readonly string[], flags: Flags) => generate(world, nodes, flags));
}

async function generate(world: World, words: readonly string[], flags: Flags): Promise<void> {
  if (flags.discardCaKey && flags.caPassphraseFile !== undefined) {
    throw new CertificateError(
      "badArgument",
      "--discard-ca-key leaves no key that --ca-passphrase-file could encrypt.",
    );
  }
  const layout = newLayout(resolve(world.workingDirectory, flags.out), "folders");
  const nodes = parseNodes(words);
  if (!flags.force) await refuseAnyExisting(layout, nodes, flags);
  const passphrase = await newKeyPassphrase(world, flags.caPassphraseFile);
  const authority = await createAuthority({ days: flags.caDays, algorithm: flags.algorithm });
  // Everything is signed before anything is written: a wrong name or too many days leave nothing behind.
  const issued = await issueAll(authority, nodes, flags);
  await writeAuthority(layout, authority, { flags, passphrase });
  const indexed = { layout, fingerprint: fingerprintOf(authority.certificatePem) };
  for (const { pair, use, name } of issued) {
    await recordIssued(indexed, { certificatePem: pair.certificatePem, use, name });
    const paths = use === "node" ? layout.node(name) : layout.client(name);
    await writePair(paths, pair, { force: flags.force });
  }
  tell(world, layout, { issued, flags });
}

interface NodeRequest {
  readonly name: string;
  readonly hosts: readonly string[];
}

function parseNodes(words: readonly string[]): readonly NodeRequest[] {
  const nodes = words.map((word) => {
    const at = word.indexOf("=");
    const name = at < 0 ? word : word.slice(0, at);
    const hosts =
      at < 0
        ? []
        : word
            .slice(at + 1)
            .split(",")
            .filter((host) => host !== "");
    refuseReservedName(name);
    return { name, hosts };
  });
  if (nodes.length > NODES_MAX) {
    throw new CertificateError("badArgument", `${nodes.length} nodes are more than ${NODES_MAX}.`);
  }
  const names = nodes.map((node) => node.name.toLowerCase());
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) {
    throw new CertificateError("badArgument", `The node "${twice}" is named twice.`);
  }
  return nodes;
}

/** All of them are looked at before anything is made. */
async function refuseAnyExisting(
  layout: DirectoryLayout,
  nodes: readonly NodeRequest[],
  flags: Flags,
): Promise<void> {
  await refuseExisting(layout.authority);
  for (const { name } of nodes) await refuseExisting(layout.node(name));
  for (const name of flags.client) await refuseExisting(layout.client(name));
  // Of another authority, which would be mistaken for this one's.
  for (const file of [layout.indexFile, layout.crlFile]) await refuseExistingFile(file);
  await refuseExisting(newLayout(layout.directory, "flat").authority);
}

interface IssuedPair {
  readonly use: "node" | "client";
  readonly name: string;
  readonly pair: CertificatePair;
}

async function issueAll(
  authority: CertificatePair,
  nodes: readonly NodeRequest[],
  flags: Flags,
): Promise<readonly IssuedPair[]> {
  const { days, algorithm } = flags;
  await openAuthority(authority);
  const issued: IssuedPair[] = [];
  for (const { name, hosts } of nodes) {
    const pair = await issueNodeCertificate(authority, { name, hosts, days, algorithm });
    issued.push({ use: "node", name, pair });
  }
  for (const name of flags.client) {
    const pair = await issueClientCertificate(authority, { name, days, algorithm });
    issued.push({ use: "client", name, pair });
  }
  return issued;
}

async function writeAuthority(
  layout: DirectoryLayout,
  authority: CertificatePair,
  how: { readonly flags: Flags; readonly passphrase: string | null },
): Promise<void> {
  const { flags, passphrase } = how;
  await setAside(layout.indexFile);
  await setAside(layout.crlFile);
  if (flags.discardCaKey) {
    // A key of an authority that was here before would not belong to the new certificate.
    await setAside(layout.authority.keyFile);
    await makeDirectory(layout.directory);
    await replaceFile(layout.authority.certFile, authority.certificatePem, CERTIFICATE_MODE);
    return;
  }
  const privateKeyPem = encryptKey(authority.privateKeyPem, passphrase);
  await writePair(layout.authority, { ...authority, privateKeyPem }, { force: flags.force });
}

function tell(
  world: World,
  layout: DirectoryLayout,
  made: { readonly issued: readonly IssuedPair[]; readonly flags: Flags },
): void {
  const { certFile, keyFile } = layout.authority;
  world.print(`Authority: ${shown(world, certFile)} (give it to every node and client)`);
  if (made.flags.discardCaKey) {
    world.print("Its key:   thrown away; no further certificate can be signed");
  } else {
    world.print(`Its key:   ${shown(world, keyFile)} (keep it secret, and away from the nodes)`);
  }
  for (const { use, name } of made.issued) {
    const paths = use === "node" ? layout.node(name) : layout.client(name);
    const folder = shown(world, join(paths.certFile, ".."));
    world.print(
      `${use === "node" ? "Node" : "Client"} ${name}: ${folder}/cert.pem, ${folder}/key.pem`,
    );
  }
  world.print("Give each node the authority's certificate and its own folder, and no other.");
}
