import { readdirSync } from "node:fs";
import { join, relative, sep } from "node:path";

/** Folders that hold what was made or fetched, not what was written. */
const SKIPPED = new Set(["node_modules", "dist", ".git", "coverage", "results"]);

/**
 * Every file below `folder` whose name ends with one of `endings`, as sorted paths relative to
 * `root` with forward slashes. A folder that is not there has no files.
 */
export function listFiles(root: string, folder: string, endings: readonly string[]): string[] {
  const found: string[] = [];
  collect(join(root, folder), endings, found);
  return found.map((path) => relative(root, path).split(sep).join("/")).toSorted();
}

function collect(folder: string, endings: readonly string[], found: string[]): void {
  for (const entry of readFolder(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      if (!SKIPPED.has(entry.name) && !entry.name.startsWith(".ferrite")) {
        collect(path, endings, found);
      }
    } else if (entry.isFile() && endings.some((ending) => entry.name.endsWith(ending))) {
      found.push(path);
    }
  }
}

function readFolder(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") {
      return [];
    }
    throw error;
  }
}
