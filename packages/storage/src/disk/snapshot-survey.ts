/** Tells the whole snapshots of a directory from the damaged ones. Changes nothing. */
import type { LogPosition } from "@ferrite/raft";
import { namesIn } from "./directory-names.ts";
import { StorageError } from "./errors.ts";
import type { FileSystem } from "./file-system.ts";
import type { Damage } from "./log-survey.ts";
import { snapshotPositionOf } from "./snapshot-format.ts";
import type { SnapshotStoreOptions } from "./snapshot-loading.ts";
import { verifySnapshot } from "./snapshot-verify.ts";

export interface SnapshotSurvey {
  /** The newest whole one; null when there is none. */
  readonly newest: LogPosition | null;
  /** File names of all of them. */
  readonly names: readonly string[];
  /** File names of those that are damaged. */
  readonly damagedNames: readonly string[];
  readonly damages: readonly Damage[];
  /** What the node once had, as the names say it: the furthest position of any snapshot. */
  readonly furthest: LogPosition | null;
}

/**
 * The newest whole snapshot is checked completely, of older ones beginning and end. Throws `StorageError` for what is no
 * damage: a foreign file, an unknown version, a wrong key.
 */
export function surveySnapshots(
  fileSystem: FileSystem,
  options: SnapshotStoreOptions,
): SnapshotSurvey {
  const { directory } = options;
  const names = namesIn(fileSystem, directory);
  const finished = names.filter((name) => snapshotPositionOf(name) !== null).toReversed();
  let newest: LogPosition | null = null;
  const damagedNames: string[] = [];
  const damages: Damage[] = [];
  for (const name of finished) {
    const file = `${directory}/${name}`;
    const damage = damageOf(fileSystem, { ...options, file, body: newest === null });
    if (damage === null) {
      newest ??= snapshotPositionOf(name);
    } else {
      damagedNames.push(name);
      damages.push(damage);
    }
  }
  const [last] = finished;
  return {
    newest,
    names: finished,
    damagedNames,
    damages,
    furthest: last === undefined ? null : snapshotPositionOf(last),
  };
}

function damageOf(
  fileSystem: FileSystem,
  snapshot: Parameters<typeof verifySnapshot>[1],
): Damage | null {
  try {
    verifySnapshot(fileSystem, snapshot);
    return null;
  } catch (error) {
    if (!(error instanceof StorageError) || error.code !== "damaged") {
      throw error;
    }
    return {
      file: error.file ?? snapshot.file,
      offsetBytes: error.offsetBytes ?? 0,
      reason: "the snapshot does not match its checksums",
    };
  }
}
