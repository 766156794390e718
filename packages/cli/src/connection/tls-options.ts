/** How a connection to a node is protected: options that are those of `redis-cli`, and what they mean. */
import { readFile } from "node:fs/promises";
import type { SecureContextOptions } from "node:tls";
import type { Command } from "commander";
import { isEncrypted } from "../certs/private-key.ts";
import { CliError } from "../errors.ts";
import type { World } from "../world.ts";
import { readPasswordFile } from "./password-file.ts";

export interface TlsFlags {
  readonly tls?: boolean;
  readonly cacert?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly keyPassphraseFile?: string;
  readonly insecure?: boolean;
  readonly sni?: string;
}

/** What is read of the flags, once for all nodes. */
export interface TlsSettings {
  readonly context: Pick<SecureContextOptions, "ca" | "cert" | "key" | "passphrase">;
  /** Whether the node's certificate is checked. */
  readonly verify: boolean;
  /** The name that the node's certificate has to cover instead of its host; null is its host. */
  readonly serverName: string | null;
}

const NOTES = `
Any of the options for TLS implies --tls. The node's certificate has to be signed by --cacert (without it: by a public
authority) and to cover the host, or the name of --sni. A certificate of ours is shown with --cert and --key; where the
node takes it for a user, no password is asked for.`;

export function withTls(command: Command): Command {
  return command
    .option("--tls", "speak TLS; --port is then the node's tls-port")
    .option("--cacert <file>", "the authority that signed the certificates of the nodes")
    .option("--cert <file>", "our own certificate")
    .option("--key <file>", "its key")
    .option("--key-passphrase-file <file>", "the passphrase of that key; - is standard input")
    .option("--sni <name>", "the node's name in its certificate, when it is not --host")
    .option("--insecure", "do not check the node's certificate")
    .addHelpText("after", NOTES);
}

/** Whether anything of the flags asks for TLS. */
export function wantsTls(flags: TlsFlags): boolean {
  const { tls, cacert, cert, key, keyPassphraseFile, insecure, sni } = flags;
  const given = [cacert, cert, key, keyPassphraseFile, sni].some((value) => value !== undefined);
  return tls === true || insecure === true || given;
}

/** Only the flags of TLS, to be handed on. */
export function tlsFlags(flags: TlsFlags): TlsFlags {
  const { tls, cacert, cert, key, keyPassphraseFile, insecure, sni } = flags;
  const given = { tls, cacert, cert, key, keyPassphraseFile, insecure, sni };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

/** Null without TLS. @throws CliError badArgument for files that can not be read or do not go together */
export async function readTls(world: World, flags: TlsFlags): Promise<TlsSettings | null> {
  if (!wantsTls(flags)) return null;
  const { cacert, cert, key, keyPassphraseFile, insecure = false, sni } = flags;
  if ((cert === undefined) !== (key === undefined)) {
    throw new CliError("badArgument", "--cert and --key belong together");
  }
  if (keyPassphraseFile !== undefined && key === undefined) {
    throw new CliError("badArgument", "--key-passphrase-file needs --key");
  }
  if (insecure && cacert !== undefined) {
    throw new CliError("badArgument", "--insecure checks nothing: leave it out, or --cacert");
  }
  if (insecure) warnInsecure(world);
  return {
    context: {
      ...(cacert === undefined ? {} : { ca: await readPem(cacert) }),
      ...(cert === undefined ? {} : { cert: await readPem(cert) }),
      ...(key === undefined ? {} : await readKey(world, key, keyPassphraseFile)),
    },
    verify: !insecure,
    serverName: sni ?? null,
  };
}

async function readKey(
  world: World,
  file: string,
  passphraseFile: string | undefined,
): Promise<Pick<SecureContextOptions, "key" | "passphrase">> {
  const key = await readPem(file);
  if (passphraseFile !== undefined) {
    return { key, passphrase: await readPasswordFile(world, passphraseFile, "passphrase") };
  }
  if (!isEncrypted(key.toString("latin1"))) return { key };
  if (world.input.isTerminal) {
    return { key, passphrase: await world.input.readHidden(`Passphrase of ${file}: `) };
  }
  throw new CliError(
    "badArgument",
    `${file} is encrypted: give its passphrase with --key-passphrase-file`,
  );
}

const warned = new WeakSet<World["environment"]>();

/** Once a run, also when many nodes are asked. */
function warnInsecure(world: World): void {
  if (warned.has(world.environment)) return;
  warned.add(world.environment);
  world.complain(
    "ferrite: WARNING: --insecure: nobody knows who answers; whoever it is gets the password and sees everything",
  );
}

async function readPem(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new CliError("badArgument", `${file} can not be read: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
