/** Reading the small files that others put there for us: keys and tokens. They may be links (Kubernetes makes them so). */
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { AtRestError } from "./errors.ts";

const SYSTEM_REASONS: Readonly<Record<string, string>> = {
  ENOENT: "it does not exist",
  ENOTDIR: "a part of its path is no directory",
  EACCES: "this user may not read it; change its owner or its permissions",
  EPERM: "this user may not read it; change its owner or its permissions",
  ENXIO: "it is no regular file",
};
/** A named pipe without a writer would keep the open waiting for ever. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK;
const OTHERS_READ = 0o077;

export interface SmallFile {
  readonly bytes: Buffer;
  /** Others than its owner may read (or write) it. */
  readonly isOpenToOthers: boolean;
}

/** @throws AtRestError `KEY_UNREADABLE`, naming the setting and the file */
export async function readSmallFile(
  setting: string,
  path: string,
  bytesMax: number,
): Promise<SmallFile> {
  const refuse = (why: string, cause?: unknown): AtRestError =>
    new AtRestError("KEY_UNREADABLE", `${setting} ${path} can not be read: ${why}`, { cause });
  try {
    const handle = await open(path, OPEN_FLAGS);
    try {
      const stats = await handle.stat();
      if (!stats.isFile()) throw refuse("it is no regular file");
      const bytes = Buffer.alloc(bytesMax + 1);
      const { bytesRead } = await handle.read(bytes, 0, bytes.length, 0);
      if (bytesRead > bytesMax) throw refuse(`it has more than ${bytesMax} bytes`);
      if (bytesRead === 0) throw refuse("it is empty");
      return {
        bytes: bytes.subarray(0, bytesRead),
        isOpenToOthers: (stats.mode & OTHERS_READ) !== 0,
      };
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (error instanceof AtRestError) throw error;
    const { code = "", message } = error as NodeJS.ErrnoException;
    throw refuse(SYSTEM_REASONS[code] ?? message, error);
  }
}
