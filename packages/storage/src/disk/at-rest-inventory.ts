/**
 * Which files of a data directory are encrypted, and with which node keys: how far switching encryption on has come, and
 * which node keys may be dropped. Reads the first sector of each file, needs no keys, and may run at any time.
 */
import { namesIn } from "./directory-names.ts";
import { keySlotsOf } from "./file-envelope.ts";
import type { FileSystem } from "./file-system.ts";
import { encryptedIdentity, isUnused, openIfThere, readFirstSector } from "./first-sector.ts";
import { segmentNumberOf } from "./segment-format.ts";
import { isSnapshotName } from "./snapshot-format.ts";

export interface AtRestFile {
  readonly path: string;
  readonly kind: "log" | "snapshot" | "sealed";
  /** A log segment has its full size from the start. */
  readonly sizeBytes: number;
  readonly encrypted: boolean;
  /** Node keys that open it: usually one, two while it is wrapped anew. Empty when it is plain, or damaged. */
  readonly nodeKeyIds: readonly number[];
}

/** Number and size of files. */
export interface AtRestTotal {
  readonly files: number;
  readonly bytes: number;
}

export interface AtRestInventory {
  /** Log segments, then snapshots (those being written, too), then sealed files; reserved space is left out. */
  readonly files: readonly AtRestFile[];
  readonly plain: AtRestTotal;
  readonly encrypted: AtRestTotal;
  /** Node keys that are needed to read these files, sorted. */
  readonly nodeKeyIds: readonly number[];
}

/** Where the files are. Directories and files that are not there count as empty. */
export interface AtRestPlaces {
  readonly logDirectory: string;
  readonly snapshotDirectory: string;
  /** Paths of files that are sealed with `sealBytes` when encryption is on. */
  readonly sealedFiles?: readonly string[];
}

/** Throws the system's errors. */
export function atRestInventory(fileSystem: FileSystem, places: AtRestPlaces): AtRestInventory {
  const { logDirectory, snapshotDirectory } = places;
  const logs = namesIn(fileSystem, logDirectory).filter((name) => segmentNumberOf(name) !== null);
  const snapshots = namesIn(fileSystem, snapshotDirectory).filter((name) => isSnapshotName(name));
  const files = [
    ...logs.map((name) => look(fileSystem, `${logDirectory}/${name}`, "log")),
    ...snapshots.map((name) => look(fileSystem, `${snapshotDirectory}/${name}`, "snapshot")),
    ...(places.sealedFiles ?? []).map((path) => look(fileSystem, path, "sealed")),
  ].filter((file) => file !== null);
  const ids = new Set(files.flatMap((file) => file.nodeKeyIds));
  return {
    files,
    plain: totalOf(files.filter((file) => !file.encrypted)),
    encrypted: totalOf(files.filter((file) => file.encrypted)),
    nodeKeyIds: [...ids].toSorted((a, b) => a - b),
  };
}

/** Null when the file is gone or holds nothing yet. */
function look(fileSystem: FileSystem, path: string, kind: AtRestFile["kind"]): AtRestFile | null {
  const handle = openIfThere(fileSystem, path, "read");
  if (handle === null) {
    return null;
  }
  try {
    const sector = readFirstSector(handle);
    if (isUnused(sector)) {
      return null;
    }
    const encrypted = encryptedIdentity(sector, path) !== null;
    const nodeKeyIds = encrypted ? keySlotsOf(sector).map((slot) => slot.nodeKeyId) : [];
    return { path, kind, sizeBytes: handle.sizeBytes(), encrypted, nodeKeyIds };
  } finally {
    handle.close();
  }
}

function totalOf(files: readonly AtRestFile[]): AtRestTotal {
  return {
    files: files.length,
    bytes: files.reduce((sum, file) => sum + file.sizeBytes, 0),
  };
}
