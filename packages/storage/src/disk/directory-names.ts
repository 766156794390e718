/** Names in a directory that may not be there. */
import { systemErrorCode } from "./errors.ts";
import type { FileSystem } from "./file-system.ts";

/** Empty when there is no such directory. Throws the system's other errors. */
export function namesIn(fileSystem: FileSystem, directory: string): string[] {
  try {
    return fileSystem.list(directory);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") {
      return [];
    }
    throw error;
  }
}
