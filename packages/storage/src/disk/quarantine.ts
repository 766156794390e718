/**
 * Where damaged files go (R42): they are renamed beside their place and never deleted as long as the node needs anything
 * from its peers. `<name>.damaged-<n>` has the number of the repair; no part of the program reads such a name.
 */
import { namesIn } from "./directory-names.ts";
import type { FileSystem } from "./file-system.ts";

/** So many repairs are kept, the newest; older ones go when the node is whole again. */
export const quarantinesKeptMax = 3;

const quarantined: RegExp = /\.damaged-([0-9]+)$/;

/** The number of a repair that begins now: higher than any in these directories. */
export function nextQuarantine(fileSystem: FileSystem, directories: readonly string[]): number {
  return 1 + Math.max(0, ...directories.flatMap((each) => numbersIn(fileSystem, each)));
}

/** Takes files of a directory out of use, durably. Files that are not there are left out. */
export function quarantineFiles(
  fileSystem: FileSystem,
  directory: string,
  files: { readonly names: readonly string[]; readonly number: number },
): void {
  for (const name of files.names) {
    const path = `${directory}/${name}`;
    if (fileSystem.exists(path)) {
      fileSystem.rename(path, `${path}.damaged-${files.number}`);
    }
  }
  fileSystem.syncDirectory(directory);
}

/** Removes all but the newest repairs' files. To be called only when nothing is needed from them any more. */
export function pruneQuarantines(fileSystem: FileSystem, directories: readonly string[]): void {
  const newest = nextQuarantine(fileSystem, directories) - 1;
  for (const directory of directories) {
    for (const name of namesIn(fileSystem, directory)) {
      const number = numberOf(name);
      if (number !== null && number <= newest - quarantinesKeptMax) {
        fileSystem.remove(`${directory}/${name}`);
      }
    }
  }
}

function numbersIn(fileSystem: FileSystem, directory: string): number[] {
  return namesIn(fileSystem, directory).flatMap((name) => numberOf(name) ?? []);
}

function numberOf(name: string): number | null {
  const match = quarantined.exec(name);
  return match === null ? null : Number(match[1]);
}
