/** `ferrite certs show`: what is in files of certificates. */
import { readdir, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { Command, Option } from "commander";
import type { World } from "../world.ts";
import { readNamedFile } from "./certificate-files.ts";
import { shown } from "./certs-options.ts";
import { describeFile, type FileDescription } from "./describe-files.ts";
import { CertificateError } from "./errors.ts";
import { descriptionLines } from "./render-descriptions.ts";

interface Flags {
  readonly output: "text" | "json";
}

const NOTES = `
Of a directory everything is shown that is a certificate, a key or a revocation list by its name. What is secret in a
key is never shown.

Examples:
  $ ferrite certs show certs/node-1.crt
  $ ferrite certs show certs -o json | jq '.[] | select(.daysLeft < 30) | .file'`;

const ENDINGS = /\.(crt|cer|pem|key|crl)$/;
/** How many files of a directory are looked at. */
const FILES_MAX = 1000;

export function showCommand(world: World, finish: (code: number) => void): Command {
  return new Command("show")
    .description("show what is in certificates, keys and revocation lists")
    .argument("<files...>", "files, or directories of them")
    .addOption(
      new Option("-o, --output <form>", "for people or programs")
        .choices(["text", "json"])
        .default("text"),
    )
    .addHelpText("after", NOTES)
    .action(async (paths: readonly string[], flags: Flags) => {
      const found: FileDescription[] = [];
      const problems: string[] = [];
      for (const path of paths) {
        for (const file of await expand(resolve(world.workingDirectory, path))) {
          try {
            found.push(...describeFile(await readNamedFile(file), shown(world, file), Date.now()));
          } catch (error) {
            if (!(error instanceof CertificateError)) throw error;
            problems.push(error.message);
          }
        }
      }
      print(world, found, flags);
      for (const problem of problems) world.complain(`ferrite: ${problem}`);
      finish(problems.length > 0 ? 1 : 0);
    });
}

function print(world: World, found: readonly FileDescription[], flags: Flags): void {
  if (flags.output === "json") {
    world.print(JSON.stringify(found, null, 2));
    return;
  }
  for (const [at, description] of found.entries()) {
    if (at > 0) world.print("");
    for (const line of descriptionLines(description, world.style)) world.print(line);
  }
}

/** A file is itself; a directory is what in it and right below it has the name of such a file. */
async function expand(path: string): Promise<readonly string[]> {
  const info = await stat(path).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw fileSystemError(path, error);
  });
  if (info?.isDirectory() !== true) return [path];
  const names = await readdir(path, { recursive: true }).catch((error: unknown) => {
    throw fileSystemError(path, error);
  });
  const files = names.filter((name) => ENDINGS.test(name) && name.split(/[/\\]/).length <= 2);
  if (files.length === 0) {
    throw new CertificateError(
      "notFound",
      `${path} holds no certificates, keys or revocation lists.`,
    );
  }
  if (files.length > FILES_MAX) {
    throw new CertificateError(
      "badArgument",
      `${path} holds more than ${FILES_MAX} files: name those to be shown.`,
    );
  }
  return files.toSorted().map((name) => join(path, name));
}

function fileSystemError(path: string, cause: unknown): CertificateError {
  return new CertificateError(
    "fileSystem",
    `${path} can not be read: ${(cause as Error).message}`,
    {
      cause,
    },
  );
}
