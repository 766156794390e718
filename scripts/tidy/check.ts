import { readFileSync } from "node:fs";
import { join } from "node:path";

import { listFiles } from "../source-files.ts";
import { longFiles, tidyRules } from "./rules.ts";

export interface TidyReport {
  readonly problems: readonly string[];
  readonly fileCount: number;
}

/** Runs every house rule over every file below `root` that was written by us. */
export function checkTidiness(root: string): TidyReport {
  const paths = listFiles(root, ".", [""]);
  const problems: string[] = [];
  for (const path of paths) {
    const bytes = readFileSync(join(root, path));
    const file = { path, text: bytes.toString("utf8"), sizeBytes: bytes.length };
    for (const [name, rule] of Object.entries(tidyRules)) {
      problems.push(...rule(file).map((sentence) => `${path}: ${sentence} (${name})`));
    }
  }
  for (const path of Object.keys(longFiles)) {
    if (!paths.includes(path)) {
      problems.push(`${path}: is on the list of long files and does not exist`);
    }
  }
  return { problems, fileCount: paths.length };
}
