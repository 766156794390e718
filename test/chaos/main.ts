/**
 *   pnpm chaos --minutes N [--nodes 3|5] [--seed S] [--faults a,b]     see options.ts
 *
 * Exit code 0: nothing was found. 1: a promise was broken, or the run could not be made. 2: wrong arguments.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ChaosError } from "./errors.ts";
import { parseOptions, type ChaosOptions } from "./options.ts";
import { isInside, moveInside } from "./own-namespaces.ts";
import { renderReport, type ChaosReport } from "./report.ts";
import { ChaosRun } from "./run-chaos.ts";

const VIOLATIONS_SHOWN_MAX = 20;

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function save(report: ChaosReport): string {
  const folder = fileURLToPath(new URL("../../results/chaos", import.meta.url));
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${report.startedAt.replaceAll(":", "-")}.json`);
  writeFileSync(path, `${JSON.stringify(report, null, 2)}\n`);
  return path;
}

/**
 * Ends the process here and now. Left to end by itself, Node takes its environment apart first, and with the request of a lost
 * connection still open it does not come to an end of that: it spins for ever (https://github.com/nodejs/node/issues/47748).
 * What was printed is out: a pipe, a socket and a file take it at once.
 */
function end(code: number): never {
  process.exit(code);
}

async function run(options: ChaosOptions): Promise<number> {
  const abort = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    // The second one does not wait: processes end with this one, mounts with their namespace.
    process.on(signal, () => (abort.signal.aborted ? process.exit(1) : abort.abort()));
  }
  print(`chaos: seed ${options.seed}`);
  const report = await new ChaosRun(options, { print, abort: abort.signal }).run();
  print(`\n${renderReport(report)}\n`);
  const found = report.verdicts.flatMap(({ checker, violations }) => {
    return violations.map((violation) => `${checker}: ${violation}`);
  });
  for (const line of found.slice(0, VIOLATIONS_SHOWN_MAX)) print(line);
  print(`written to ${save(report)}`);
  print(`chaos: ${found.length === 0 ? "nothing found" : `${found.length} violations`}`);
  return found.length === 0 ? 0 : 1;
}

try {
  const options = parseOptions(process.argv.slice(2), print);
  if (options !== null) {
    if (!isInside()) moveInside({ network: options.network === "namespaces" });
    end(await run(options));
  }
} catch (error) {
  if (!(error instanceof ChaosError)) throw error;
  print(error.message);
  end(error.code === "badArgument" ? 2 : 1);
}
