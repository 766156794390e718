// Checks the house rules that no linter knows. `--root DIR` looks at another tree.
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { checkTidiness } from "./tidy/check.ts";

const { values } = parseArgs({ options: { root: { type: "string" } } });
const root = values.root ?? dirname(dirname(fileURLToPath(import.meta.url)));

const report = checkTidiness(root);
for (const problem of report.problems) {
  console.error(problem);
}
console.log(`tidy: ${report.fileCount} files, ${report.problems.length} problems`);
if (report.problems.length > 0 || report.fileCount === 0) {
  process.exitCode = 1;
}
