/** Which parts of a node are in a data directory. Each lives on only with the others, so one that is missing is noticed. */
import type { FileSystem } from "@ferrite/storage";

export interface StoredParts {
  readonly hasGenesis: boolean;
  /** A segment of the log, begun or not. */
  readonly hasLog: boolean;
  readonly hasSnapshot: boolean;
}

/** Looks at names only. */
export function findStoredParts(fileSystem: FileSystem, dataDirectory: string): StoredParts {
  const holds = (directory: string, name: RegExp): boolean =>
    fileSystem.exists(directory) && fileSystem.list(directory).some((each) => name.test(each));
  return {
    hasGenesis: fileSystem.exists(`${dataDirectory}/genesis.json`),
    hasLog: holds(`${dataDirectory}/log`, /^[0-9]+\.log$/),
    hasSnapshot: holds(`${dataDirectory}/snapshots`, /^snapshot-[0-9]+-[0-9]+$/),
  };
}
