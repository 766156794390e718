/**
 * What is in a snapshot directory at boot. The newest snapshot is whole, or the node does not start: taking an older
 * one silently would take back what was acknowledged. Files that were being written in a crash are removed.
 */
import type { AtRestKeys } from "./at-rest-keys.ts";
import { checkAtRestKeys } from "./file-envelope.ts";
import type { FileSystem } from "./file-system.ts";
import type { RandomBytes } from "./random-bytes.ts";
import { snapshotPositionOf } from "./snapshot-format.ts";
import type { SnapshotOwner } from "./snapshot-format.ts";
import { verifySnapshot } from "./snapshot-verify.ts";
import type { StoredSnapshot } from "./snapshot-verify.ts";

export interface SnapshotStoreOptions extends SnapshotOwner {
  /** With these new snapshots are encrypted, and encrypted ones read. Default: null, none is. */
  readonly encryption?: AtRestKeys | null;
  /** Where data keys come from; by default the machine's source. The simulator passes its own. */
  readonly randomBytes?: RandomBytes;
  /** Where the files are; made when it is not there. Nothing else should be in it. */
  readonly directory: string;
}

/** Ends the name of a snapshot that is not finished. */
export const temporarySuffix = ".tmp";

/**
 * Oldest first. The newest is checked completely, of the others beginning and end.
 *
 * Throws `StorageError` naming the file when one is damaged or foreign; then nothing was removed.
 */
export function loadSnapshots(
  fileSystem: FileSystem,
  options: SnapshotStoreOptions,
): StoredSnapshot[] {
  if (options.encryption) {
    checkAtRestKeys(options.encryption);
  }
  fileSystem.makeDirectory(options.directory);
  const names = fileSystem.list(options.directory);
  const finished = names.filter((name) => snapshotPositionOf(name) !== null);
  const snapshots = finished.map((name, i) =>
    verifySnapshot(fileSystem, {
      file: `${options.directory}/${name}`,
      clusterId: options.clusterId,
      groupId: options.groupId,
      encryption: options.encryption ?? null,
      body: i === finished.length - 1,
    }),
  );
  for (const name of names) {
    if (name.startsWith("snapshot-") && name.endsWith(temporarySuffix)) {
      fileSystem.remove(`${options.directory}/${name}`);
    }
  }
  // After a crash of the process alone the newest name may not be durable yet; the log will be cut on the strength of it.
  fileSystem.syncDirectory(options.directory);
  return snapshots;
}
