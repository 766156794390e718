/**
 * Certificates on disk: keys are 0600, directories 0700. A file appears whole or not at all, and nothing is overwritten
 * unless that was asked for.
 */
import { randomBytes } from "node:crypto";
import { chmod, link, lstat, mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import type { CertificatePair } from "./authority.ts";
import { newLayout, type CertificatePaths } from "./directory-layout.ts";
import { CertificateError } from "./errors.ts";

const DIRECTORY_MODE = 0o700;
export const KEY_MODE = 0o600;
export const CERTIFICATE_MODE = 0o644;
/** No certificate, key or list is this large; a wrong path is noticed before it fills the memory. */
const FILE_BYTES_MAX: number = 64 * 1024 * 1024;

/** The files of a node in a flat directory. */
export function nodePaths(directory: string, name: string): CertificatePaths {
  return newLayout(directory, "flat").node(name);
}

/**
 * @throws CertificateError fileExists when one of the two files is there. Asked before a key is made, so that the
 * common mistake costs nothing.
 */
export async function refuseExisting(paths: CertificatePaths): Promise<void> {
  for (const path of [paths.keyFile, paths.certFile]) await refuseExistingFile(path);
}

/** @throws CertificateError fileExists */
export async function refuseExistingFile(path: string): Promise<void> {
  if (await exists(path)) throw new CertificateError("fileExists", existsMessage(path));
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
  await makeDirectory(dirname(paths.keyFile));
  const write = options.force ? replaceFile : createFile;
  await write(paths.keyFile, pair.privateKeyPem, KEY_MODE);
  await write(paths.certFile, pair.certificatePem, CERTIFICATE_MODE);
}

/**
 * Puts a new pair in the place of an old one, which stays beside it as `.old`. Both files are on disk before either gets
 * its name, so that between the two there is no more than a rename: a node that reads just then sees a pair that does
 * not fit, and waits for the rest.
 * @throws CertificateError fileSystem; the old pair is then in place
 */
export async function exchangePair(paths: CertificatePaths, pair: CertificatePair): Promise<void> {
  const { keyFile, certFile } = paths;
  const staged: string[] = [];
  try {
    const key = await stage(keyFile, pair.privateKeyPem, KEY_MODE);
    staged.push(key);
    const certificate = await stage(certFile, pair.certificatePem, CERTIFICATE_MODE);
    staged.push(certificate);
    await keepOld(keyFile);
    await keepOld(certFile);
    await rename(key, keyFile);
    await rename(certificate, certFile).catch(async (cause: unknown) => {
      await bringBack(keyFile);
      throw cause;
    });
    await syncDirectory(dirname(keyFile));
  } catch (cause) {
    for (const temporary of staged) await rm(temporary, { force: true });
    if (cause instanceof CertificateError) throw cause;
    throw fileSystemError(`${certFile} can not be replaced`, cause);
  }
}

/** A key without the certificate that was to follow it is of no use to anybody. */
async function bringBack(keyFile: string): Promise<void> {
  if (await exists(oldFile(keyFile))) await rename(oldFile(keyFile), keyFile);
  else await rm(keyFile, { force: true });
}

/** Puts a new certificate of the same key in the place of an old one, which stays beside it as `.old`. */
export async function exchangeCertificate(certFile: string, pem: string): Promise<void> {
  const staged = await stage(certFile, pem, CERTIFICATE_MODE);
  try {
    await keepOld(certFile);
    await rename(staged, certFile);
    await syncDirectory(dirname(certFile));
  } catch (cause) {
    await rm(staged, { force: true });
    throw fileSystemError(`${certFile} can not be replaced`, cause);
  }
}

export function oldFile(path: string): string {
  return `${path}.old`;
}

/** A second name for the file as it is: the first one never vanishes. */
async function keepOld(path: string): Promise<void> {
  await rm(oldFile(path), { force: true });
  try {
    await link(path, oldFile(path));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ENOENT") throw cause;
  }
}

/** Renames to `.old` what is there. */
export async function setAside(path: string): Promise<void> {
  try {
    await rename(path, oldFile(path));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ENOENT") {
      throw fileSystemError(`${path} can not be set aside`, cause);
    }
  }
}

/** Makes a directory for keys. One that is there already keeps its mode: it may hold other things of the user's. */
export async function makeDirectory(directory: string): Promise<void> {
  try {
    if ((await mkdir(directory, { recursive: true, mode: DIRECTORY_MODE })) !== undefined) {
      await chmod(directory, DIRECTORY_MODE);
    }
  } catch (cause) {
    throw fileSystemError(`The directory ${directory} can not be made`, cause);
  }
}

/** A file's bytes, or null when there is none. @throws CertificateError fileSystem */
export async function readIfThere(path: string): Promise<Buffer | null> {
  try {
    return await readBounded(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw fileSystemError(`${path} can not be read`, cause);
  }
}

/** @throws CertificateError notFound, fileSystem */
export async function readNamedFile(path: string): Promise<Buffer> {
  const bytes = await readIfThere(path);
  if (bytes === null) throw new CertificateError("notFound", `There is no file ${path}.`);
  return bytes;
}

async function readBounded(path: string): Promise<Buffer> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    if (size > FILE_BYTES_MAX) throw new Error(`it has more than ${FILE_BYTES_MAX} bytes`);
    return await readFile(file);
  } finally {
    await file.close();
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

/** Puts a file in place, instead of one that may be there. @throws CertificateError fileSystem */
export async function replaceFile(path: string, text: string, mode: number): Promise<void> {
  await throughTemporary(path, text, mode, (temporary) => rename(temporary, path));
}

async function throughTemporary(
  path: string,
  text: string,
  mode: number,
  place: (temporary: string) => Promise<void>,
): Promise<void> {
  const temporary = await stage(path, text, mode);
  try {
    await place(temporary);
    await syncDirectory(dirname(path));
  } catch (cause) {
    await rm(temporary, { force: true });
    if (cause instanceof CertificateError) throw cause;
    throw fileSystemError(`${path} can not be written`, cause);
  }
}

/** Writes a file beside the one it shall become, and resolves with its name when it is on disk. */
async function stage(path: string, text: string, mode: number): Promise<string> {
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
    return temporary;
  } catch (cause) {
    await rm(temporary, { force: true });
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
