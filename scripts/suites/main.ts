/**
 * Runs the suites and prints one sum over all of them as the last line.
 *
 *     main.ts                 what fits in twenty minutes on two cores
 *     main.ts --long          the longer ones; adds to the sum of the run before
 *     main.ts --verify        the gates and their canaries only
 *     main.ts unit "sim"      the named ones
 */
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { describeResults, ResultFile } from "./results.ts";
import { runStep } from "./run-step.ts";
import { isPresent, steps, type Step } from "./steps.ts";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const { values, positionals } = parseArgs({
  options: { long: { type: "boolean" }, verify: { type: "boolean" } },
  allowPositionals: true,
});

function choose(): readonly Step[] {
  const unknown = positionals.filter((name) => !steps.some((step) => step.name === name));
  if (unknown.length > 0) {
    const known = steps.map((step) => `"${step.name}"`).join(", ");
    throw new RangeError(`no suite is called ${unknown.join(", ")}; there are ${known}`);
  }
  if (positionals.length > 0) {
    return steps.filter((step) => positionals.includes(step.name));
  }
  if (values.verify === true) {
    return steps.filter((step) => step.verify);
  }
  return steps.filter((step) => step.long === (values.long ?? false));
}

const abort = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => abort.abort());
}

const results = new ResultFile(root, values.long ?? false);
for (const step of choose()) {
  if (abort.signal.aborted) {
    break;
  }
  if (!isPresent(root, step)) {
    console.log(`\n== ${step.name}: absent, ${step.needs} is not in this tree`);
    continue;
  }
  console.log(`\n== ${step.name}`);
  results.add(await runStep(root, step, results, { abort: abort.signal, output: "inherit" }));
}

const all = results.all();
console.log(`\n${describeResults(all)}`);
if (abort.signal.aborted || all.length === 0 || all.some((result) => result.failed > 0)) {
  process.exitCode = 1;
}
