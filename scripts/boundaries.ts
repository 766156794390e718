// Checks the import order of the packages. `--root DIR` looks at another tree (the canaries do).
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { checkBoundaries } from "./boundaries/check.ts";
import { packageRules, roomRules, type Builtins } from "./boundaries/rules.ts";

const { values } = parseArgs({ options: { root: { type: "string" } } });
const root = values.root ?? dirname(dirname(fileURLToPath(import.meta.url)));

function printRules(): void {
  const builtins = (allowed: Builtins): string =>
    allowed === "any" ? "Node" : allowed.join(", ") || "nothing of Node";
  for (const [name, rule] of Object.entries(packageRules)) {
    const types = rule.types.map((type) => `${type} (types)`);
    const ours = [...rule.values, ...types].join(", ") || "none of ours";
    console.log(`  ${name.padEnd(8)} may import ${ours}; ${builtins(rule.builtins)}`);
  }
  for (const room of roomRules) {
    const types = room.types.map((type) => `${type} (types)`);
    const rooms = [...room.values, ...types, ...room.packages].join(", ") || "itself only";
    console.log(`  ${room.folder} may import ${rooms}; ${builtins(room.builtins)}`);
  }
}

printRules();
const report = checkBoundaries(root);
for (const problem of report.problems) {
  console.error(problem);
}
console.log(
  `boundaries: ${report.importCount} imports in ${report.fileCount} files, ` +
    `${report.problems.length} not allowed`,
);
if (report.problems.length > 0 || report.fileCount === 0) {
  process.exitCode = 1;
}
