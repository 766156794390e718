/**
 * Reading a file that decides who may do what: only when nobody but this user (or root) can have written it. All checks
 * are made on the open file, so that it can not be exchanged between check and use.
 */
import { constants, type Stats } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { AccessError } from "./errors.ts";

/** Whoever is root can do what they like anyway; files that a container is given are often root's. */
const ROOT = 0;
const GROUP_OR_OTHERS_WRITE = 0o022;
/** A named pipe without a writer would keep the open waiting for ever. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const SYSTEM_REASONS: Readonly<Record<string, string>> = {
  ELOOP: "it is a symbolic link; put the file itself there",
  EMLINK: "it is a symbolic link; put the file itself there",
  ENOTDIR: "a part of its path is no directory",
  EACCES: "this user may not read it; change its owner or its permissions",
  EPERM: "this user may not read it; change its owner or its permissions",
  ENXIO: "it is no regular file",
};

/**
 * The bytes of the file at `path`, or null when there is none.
 * @throws AccessError ACL_FILE_REFUSED: a link, a foreign owner, others may write it, no regular file, more than
 * `bytesMax`, or it can not be read
 */
export async function readTrustedFile(path: string, bytesMax: number): Promise<Buffer | null> {
  let handle: FileHandle;
  try {
    handle = await open(path, OPEN_FLAGS);
  } catch (error) {
    const { code = "", message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return null;
    throw refused(path, SYSTEM_REASONS[code] ?? message, error);
  }
  try {
    const problem = distrust(await handle.stat(), bytesMax);
    if (problem !== null) throw refused(path, problem);
    return await readUpTo(handle, path, bytesMax);
  } catch (error) {
    if (error instanceof AccessError) throw error;
    throw refused(path, (error as Error).message, error);
  } finally {
    await handle.close();
  }
}

/** Why what an open file says of itself does not do, or null. */
function distrust(stats: Stats, bytesMax: number): string | null {
  if (!stats.isFile()) return "it is no regular file";
  const self = process.geteuid?.();
  if (self !== undefined && stats.uid !== self && stats.uid !== ROOT) {
    return `it belongs to user ${stats.uid}, not to the one this node runs as (${self}); change its owner`;
  }
  if ((stats.mode & GROUP_OR_OTHERS_WRITE) !== 0) {
    return "its group or others may write it; take that away (chmod go-w)";
  }
  return stats.size > bytesMax ? tooLarge(bytesMax) : null;
}

/** The size is checked again, as the file may grow meanwhile. */
async function readUpTo(handle: FileHandle, path: string, bytesMax: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let sizeBytes = 0;
  for await (const piece of handle.createReadStream({ autoClose: false })) {
    const bytes = piece as Buffer;
    sizeBytes += bytes.length;
    if (sizeBytes > bytesMax) throw refused(path, tooLarge(bytesMax));
    pieces.push(bytes);
  }
  return Buffer.concat(pieces, sizeBytes);
}

function tooLarge(bytesMax: number): string {
  return `it has more than ${bytesMax} bytes`;
}

function refused(path: string, why: string, cause?: unknown): AccessError {
  return new AccessError("ACL_FILE_REFUSED", `${path} is not read: ${why}`, { cause });
}
