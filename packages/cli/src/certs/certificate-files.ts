/**
 * Certificates on disk:
 *
 *   <directory>/            0700
 *     ca.crt  ca.key        the authority (the key signs: keep it off the nodes in production)
 *     node-1.crt  node-1.key
 *     client-app.crt  client-app.key
 *
 * Keys are 0600. A file appears whole or not at all, and nothing is overwritten unless `force` is given.
 */
import { randomBytes } from "node:crypto";
import { chmod, link, lstat, mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { CertificatePair } from "./authority.ts";
import { CertificateError } from "./errors.ts";

const DIRECTORY_MODE = 0o700;
const KEY_MODE = 0o600;
const CERTIFICATE_MODE = 0o644;

/** Where one pair is kept. */
export interface CertificatePaths {
  readonly certFile: string;
  readonly keyFile: string;
}

export function authorityPaths(directory: string): CertificatePaths {
  return pathsOf(directory, "ca");
}

export function nodePaths(directory: string, name: string): CertificatePaths {
  return pathsOf(directory, name);
}

export function clientPaths(directory: string, name: string): CertificatePaths {
  return pathsOf(directory, `client-${name}`);
}

function pathsOf(directory: string, stem: string): CertificatePaths {
  return { certFile: join(directory, `${stem}.crt`), keyFile: join(directory, `${stem}.key`) };
}

/**
 * @throws CertificateError fileExists when one of the two files is there. Asked before a key is made, so that the
 * common mistake costs nothing.
 */
export async function refuseExisting(paths: CertificatePaths): Promise<void> {
  for (const path of [paths.keyFile, paths.certFile]) {
    if (await exists(path)) {
      throw new CertificateError("fileExists", existsMessage(path));
    }
  }
}

/**
 * Writes key and certificate, the key first: a certificate without its key would look complete.
 * @throws CertificateError fileExists, fileSystem
 */
export async function writePair(
  paths: CertificatePaths,
  pair: CertificatePair,
  options: { readonly force: boolean },
): Promise<void> {
  if (!options.force) {
    await refuseExisting(paths);
  }
  const directory = dirname(paths.keyFile);
  try {
    // A directory that is there already keeps its mode: it may hold other things of the user's.
    if ((await mkdir(directory, { recursive: true, mode: DIRECTORY_MODE })) !== undefined) {
      await chmod(directory, DIRECTORY_MODE);
    }
  } catch (cause) {
    throw fileSystemError(`The directory ${directory} can not be made`, cause);
  }
  const write = options.force ? replaceFile : createFile;
  await write(paths.keyFile, pair.privateKeyPem, KEY_MODE);
  await write(paths.certFile, pair.certificatePem, CERTIFICATE_MODE);
}

/** @throws CertificateError badAuthority when a file is missing, fileSystem when it can not be read. */
export async function readAuthority(directory: string): Promise<CertificatePair> {
  const paths = authorityPaths(directory);
  return {
    certificatePem: await readAuthorityFile(paths.certFile),
    privateKeyPem: await readAuthorityFile(paths.keyFile),
  };
}

async function readAuthorityFile(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") {
      throw new CertificateError(
        "badAuthority",
        `There is no ${path}. Make the authority first: ferrite certs init --out ${dirname(path)}`,
        { cause },
      );
    }
    throw fileSystemError(`${path} can not be read`, cause);
  }
}

/** Puts a new file in place; a file that is there, even one that appeared a moment ago, wins. */
async function createFile(path: string, text: string, mode: number): Promise<void> {
  await throughTemporary(path, text, mode, async (temporary) => {
    try {
      await link(temporary, path);
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === "EEXIST") {
        throw new CertificateError("fileExists", existsMessage(path), { cause });
      }
      throw cause;
    }
    await rm(temporary);
  });
}

async function replaceFile(path: string, text: string, mode: number): Promise<void> {
  await throughTemporary(path, text, mode, (temporary) => rename(temporary, path));
}

async function throughTemporary(
  path: string,
  text: string,
  mode: number,
  place: (temporary: string) => Promise<void>,
): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    const file = await open(temporary, "wx", mode);
    try {
      await file.chmod(mode);
      await file.writeFile(text, "utf8");
      await file.sync();
    } finally {
      await file.close();
    }
    await place(temporary);
    await syncDirectory(dirname(path));
  } catch (cause) {
    await rm(temporary, { force: true });
    if (cause instanceof CertificateError) {
      throw cause;
    }
    throw fileSystemError(`${path} can not be written`, cause);
  }
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Also true for a dangling link: writing through it would put the key somewhere else. */
async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") {
      return false;
    }
    throw fileSystemError(`${path} can not be looked at`, cause);
  }
}

function existsMessage(path: string): string {
  return `${path} exists and was left as it is. To replace it, use --force.`;
}

function fileSystemError(what: string, cause: unknown): CertificateError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new CertificateError("fileSystem", `${what}: ${reason}`, { cause });
}
