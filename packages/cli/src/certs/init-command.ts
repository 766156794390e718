/** `ferrite certs init`: a certificate authority for a cluster. */
import { resolve } from "node:path";
import { Command } from "commander";
import type { World } from "../world.ts";
import { AUTHORITY_DAYS_DEFAULT, createAuthority } from "./authority.ts";
import { makeDirectory, refuseExisting, setAside, writePair } from "./certificate-files.ts";
import {
  newKeyPassphrase,
  parseDays,
  shown,
  withAlgorithm,
  withDirectory,
  type DirectoryFlags,
} from "./certs-options.ts";
import { layoutOf, type DirectoryLayout } from "./directory-layout.ts";
import type { KeyAlgorithm } from "./key-algorithm.ts";
import { encryptKey } from "./private-key.ts";

interface Flags extends DirectoryFlags {
  readonly days: number;
  readonly name?: string;
  readonly algorithm: KeyAlgorithm;
  readonly caPassphraseFile?: string;
  readonly force: boolean;
}

const NOTES = `
Whoever has the authority's key can make a certificate for any node and any user. Keep it away from the nodes: on
another machine, encrypted, or both.

Examples:
  $ ferrite certs init
  $ ferrite certs init --out /secure/ca --ca-passphrase-file ca.pass
  $ ferrite certs init --algorithm rsa-3072 --days 1825 --name "Cache authority 2027"`;

export function initCommand(world: World): Command {
  const command = withAlgorithm(withDirectory(new Command("init")))
    .description("make a certificate authority for a cluster")
    .option("--days <days>", "how long it is valid", parseDays, AUTHORITY_DAYS_DEFAULT)
    .option("--name <name>", "its name, which should be no other authority's")
    .option(
      "--ca-passphrase-file <file>",
      "encrypt its key with this passphrase; - is standard input",
    )
    .option("--force", "overwrite what is there; all certificates of the old authority end", false)
    .addHelpText("after", NOTES);
  return command.action(async (flags: Flags) => {
    const layout = layoutOf(resolve(world.workingDirectory, flags.out));
    if (!flags.force) await refuseExisting(layout.authority);
    const passphrase = await newKeyPassphrase(world, flags.caPassphraseFile);
    const { days, name, algorithm } = flags;
    const pair = await createAuthority({
      days,
      algorithm,
      ...(name === undefined ? {} : { name }),
    });
    await makeDirectory(layout.directory);
    await forgetOld(layout);
    const privateKeyPem = encryptKey(pair.privateKeyPem, passphrase);
    await writePair(layout.authority, { ...pair, privateKeyPem }, { force: flags.force });
    const { certFile, keyFile } = layout.authority;
    const secrecy = passphrase === null ? "keep it secret" : "encrypted; keep its passphrase apart";
    world.print(`Authority: ${shown(world, certFile)} (give it to every node and client)`);
    world.print(`Its key:   ${shown(world, keyFile)} (${secrecy}, and away from the nodes)`);
    world.print(`Next:      ferrite certs node NAME --host ADDRESS --out ${flags.out}`);
  });
}

/** What another authority issued and revoked is not this one's business. */
async function forgetOld(layout: DirectoryLayout): Promise<void> {
  await setAside(layout.indexFile);
  await setAside(layout.crlFile);
}
