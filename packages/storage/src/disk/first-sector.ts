/** What the first sector of a file in the data directory says of its encryption, whatever kind of file it is. */
import { encryptedSealIdentity } from "./sealed-bytes.ts";
import { encryptedSegmentIdentity, sectorBytes } from "./segment-format.ts";
import { encryptedSnapshotIdentity } from "./snapshot-format.ts";
import { systemErrorCode } from "./errors.ts";
import type { FileIdentity } from "./file-identity.ts";
import type { FileHandle, FileSystem } from "./file-system.ts";

/** Reads the first sector, or what there is of it. */
export function readFirstSector(handle: FileHandle): Uint8Array {
  const bytes = new Uint8Array(sectorBytes);
  return bytes.subarray(0, handle.read(bytes, 0));
}

/** Space that is reserved and not used yet, or a file that was just made. */
export function isUnused(sector: Uint8Array): boolean {
  return sector.every((byte) => byte === 0);
}

/** What an encrypted file at `path` is bound to; null when the file is not encrypted. */
export function encryptedIdentity(sector: Uint8Array, path: string): FileIdentity | null {
  if (sector.length < sectorBytes) {
    return null;
  }
  return (
    encryptedSegmentIdentity(sector) ??
    encryptedSnapshotIdentity(sector, path) ??
    encryptedSealIdentity(sector)
  );
}

/** Opens a file that may be removed at any time; null when it was. */
export function openIfThere(
  fileSystem: FileSystem,
  path: string,
  mode: "read" | "readWrite",
): FileHandle | null {
  try {
    return fileSystem.open(path, mode);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") {
      return null;
    }
    throw error;
  }
}
