/** Small files that are there whole or not at all: identity, genesis. */
import type { FileSystem } from "./file-system.ts";

/**
 * Replaces the file at `path`: a temporary file beside it, fsync, rename, directory fsync. After a crash the old or
 * the new contents are there. Throws the system's error; then the old contents are still there.
 */
export function writeFileDurably(fileSystem: FileSystem, path: string, bytes: Uint8Array): void {
  const temporaryPath = `${path}.tmp`;
  if (fileSystem.exists(temporaryPath)) {
    fileSystem.remove(temporaryPath);
  }
  const handle = fileSystem.open(temporaryPath, "create");
  try {
    handle.write(bytes, 0);
    handle.sync();
  } finally {
    handle.close();
  }
  fileSystem.rename(temporaryPath, path);
  const directoryEnd = path.lastIndexOf("/");
  fileSystem.syncDirectory(directoryEnd <= 0 ? "/" : path.slice(0, directoryEnd));
}
