/** Options that several of the `certs` sub-commands share. */
import { resolve } from "node:path";
import { InvalidArgumentError, Option, type Command } from "commander";
import { shortPath } from "../terminal/short-path.ts";
import { readPasswordFile } from "../connection/password-file.ts";
import type { World } from "../world.ts";
import { DAYS_MAX } from "./authority.ts";
import { KEY_ALGORITHMS, KEY_ALGORITHM_DEFAULT, type KeyAlgorithm } from "./key-algorithm.ts";

export const CERTIFICATE_DIRECTORY_DEFAULT = "certs";

export interface DirectoryFlags {
  readonly out: string;
}

export interface SigningFlags extends DirectoryFlags {
  readonly caDir?: string;
  readonly caPassphraseFile?: string;
}

export interface IssueFlags extends SigningFlags {
  readonly days: number;
  readonly force: boolean;
  readonly algorithm: KeyAlgorithm;
  readonly keyPassphraseFile?: string;
}

export function withDirectory(command: Command): Command {
  return command.option("--out <directory>", "where the files are", CERTIFICATE_DIRECTORY_DEFAULT);
}

/** For what an authority signs. */
export function withSigning(command: Command): Command {
  return withDirectory(command)
    .option("--ca-dir <directory>", "where the authority is kept, when not in --out")
    .option(
      "--ca-passphrase-file <file>",
      "the passphrase of the authority's key; - is standard input",
    );
}

/** For what makes a new pair. */
export function withIssuing(command: Command, daysDefault: number): Command {
  return withAlgorithm(withSigning(command))
    .option("--days <days>", "how long the certificate is valid", parseDays, daysDefault)
    .option("--key-passphrase-file <file>", "encrypt the new key with this passphrase")
    .option("--force", "overwrite what is there", false);
}

export function withAlgorithm(command: Command): Command {
  return command.addOption(algorithmOption().default(KEY_ALGORITHM_DEFAULT));
}

export function algorithmOption(): Option {
  return new Option("--algorithm <kind>", "the kind of key").choices(KEY_ALGORITHMS);
}

/** The directory of the authority, absolute. */
export function authorityDirectory(world: World, flags: SigningFlags): string {
  return resolve(world.workingDirectory, flags.caDir ?? flags.out);
}

/** The passphrase for a new key, or null: it gets none. */
export async function newKeyPassphrase(
  world: World,
  file: string | undefined,
): Promise<string | null> {
  return file === undefined ? null : await readPasswordFile(world, file, "passphrase");
}

export function shown(world: World, path: string): string {
  return shortPath(world.workingDirectory, path);
}

/** @throws InvalidArgumentError */
export function parseDays(text: string): number {
  const days = Number(text);
  if (!/^\d+$/.test(text) || days < 1 || days > DAYS_MAX) {
    throw new InvalidArgumentError(`A whole number of days from 1 to ${DAYS_MAX} is needed.`);
  }
  return days;
}

export function collect(value: string, previous: readonly string[]): string[] {
  return [...previous, value];
}
