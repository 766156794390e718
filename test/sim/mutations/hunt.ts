/**
 * One process, one mutation: puts it into the sources and runs the simulator until something notices it. Started by
 * main.ts, which reads the one line of JSON that this prints.
 *
 *   node --conditions=@ferrite/source hunt.ts MUTATION|none SECONDS_MAX PLAN_JSON
 */
import { MUTATIONS } from "./catalogue/all.ts";
import { checkName } from "./check-name.ts";
import { loadMutation } from "./loader.ts";
import type { Hunt } from "./mutation.ts";

export interface HuntResult {
  /** Null: nothing was noticed. */
  readonly caught: {
    /** "faults" or a scenario. */
    readonly in: string;
    readonly seed: number;
    readonly check: string;
    readonly problem: string;
  } | null;
  /** Runs, of all kinds. */
  readonly runs: number;
  readonly elapsedMs: number;
}

const [name = "", secondsMax = "60", plan = "[]"] = process.argv.slice(2);
const hunts = JSON.parse(plan) as readonly Hunt[];
const mutation = MUTATIONS.find(({ id }) => id === name);
if (mutation === undefined && name !== "none") throw new RangeError(`no mutation ${name}`);
const loaded = mutation === undefined ? null : loadMutation(mutation);

// Only now: what is imported from here on is the mutated code.
const { runOf } = await import("./runs.ts");
loaded?.checkLoaded();

function search(): HuntResult {
  const startedMs = performance.now();
  let runs = 0;
  let broken: string | null = null;
  for (const hunt of hunts) {
    const run = runOf(hunt.in);
    for (let seed = 1; seed <= hunt.seedsMax; seed++) {
      if (performance.now() - startedMs > Number(secondsMax) * 1000) break;
      runs++;
      for (const problem of run(seed)) {
        const check = checkName(problem);
        if (check === null) {
          // The mutated code fell over something that nobody checks: that proves nothing, another seed may.
          broken ??= problem;
          break;
        }
        const caught = { in: hunt.in, seed, check, problem };
        return { caught, runs, elapsedMs: performance.now() - startedMs };
      }
    }
  }
  if (broken !== null) throw new Error(`the mutation does not run: ${broken}`);
  return { caught: null, runs, elapsedMs: performance.now() - startedMs };
}

process.stdout.write(`${JSON.stringify(search())}\n`);
