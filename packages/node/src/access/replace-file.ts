/** Writing a file that must be there whole or not at all, without stopping the event loop for the disk. */
import { randomBytes } from "node:crypto";
import { lstat, mkdir, open, rename, rm, type FileHandle } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { AccessError } from "./errors.ts";

const FILE_MODE = 0o600;
const DIRECTORY_MODE = 0o700;
const SYSTEM_REASONS: Readonly<Record<string, string>> = {
  EROFS: "the disk can only be read",
  ENOSPC: "there is no room on the disk",
  EDQUOT: "this user's share of the disk is used up",
  EACCES: "this user may not write there",
  EPERM: "this user may not write there",
  ENOTDIR: "a part of its path is no directory",
  EISDIR: "it is a directory",
};

/**
 * Puts `bytes` at `path`, for this user alone: a temporary file beside it, fsync, rename, fsync of the directory. The
 * directory is made when there is none. After an error, or a crash, the old contents are there.
 * @throws AccessError ACL_FILE_NOT_WRITTEN
 */
export async function replaceFile(path: string, bytes: Uint8Array): Promise<void> {
  const directory = dirname(path);
  // Nobody else uses this name: two programs that write at once do not mix their bytes.
  const suffix = randomBytes(6).toString("hex");
  const temporaryPath = join(directory, `.${basename(path)}.${suffix}.tmp`);
  try {
    await makeDirectory(directory);
    await refuseLink(path);
    await writeNew(temporaryPath, bytes);
    await rename(temporaryPath, path);
    await syncDirectory(directory);
  } catch (error) {
    // What went wrong before is what is told; a disk that refuses the removal, too, adds nothing to it.
    await rm(temporaryPath, { force: true }).catch(() => undefined);
    if (error instanceof AccessError) throw error;
    const { code = "", message } = error as NodeJS.ErrnoException;
    throw notWritten(path, SYSTEM_REASONS[code] ?? message, error);
  }
}

/** With its parents. (Node's own `recursive` never ends where a directory can not be made in one that is there.) */
async function makeDirectory(path: string): Promise<void> {
  try {
    await makeOneDirectory(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT" || dirname(path) === path) throw error;
    await makeDirectory(dirname(path));
    await makeOneDirectory(path);
  }
}

async function makeOneDirectory(path: string): Promise<void> {
  await mkdir(path, { mode: DIRECTORY_MODE }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
}

/** The rename would put the file in the link's place, and what it points to would be out of date from then on. */
async function refuseLink(path: string): Promise<void> {
  const stats = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
  if (stats?.isSymbolicLink() === true) throw notWritten(path, "it is a symbolic link");
}

async function writeNew(path: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(path, "wx", FILE_MODE);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function syncDirectory(path: string): Promise<void> {
  let handle: FileHandle | null = null;
  try {
    handle = await open(path, "r");
    await handle.sync();
  } finally {
    await handle?.close();
  }
}

function notWritten(path: string, why: string, cause?: unknown): AccessError {
  return new AccessError("ACL_FILE_NOT_WRITTEN", `${path} is not written: ${why}`, { cause });
}
