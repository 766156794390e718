/**
 *   pnpm sim --seeds N [--from S] [--jobs P] [--kept]   run N seeds, in P processes; those of seeds.txt first
 *   pnpm sim --seed X [--trace]                         run one, twice, and show that both runs are the same
 *   pnpm sim --seed X --shrink                          make a failing run smaller
 *     with --skip-faults-after N, --safety-ms T           the beginning of the same run
 *   pnpm sim --canary NAME                              put a defect in and show that it is found
 */
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { ALL_FAULTS_WITHIN_SEEDS, COMMON_FAULTS, RARE_FAULTS } from "./fault-kinds.ts";
import { keptSeeds } from "./kept-seeds.ts";
import { shrink } from "./shrink.ts";
import { newTally, runSideBySide, type Tally } from "./side-by-side.ts";
import { CANARIES } from "./world/canary.ts";
import { simulate, type SimulationOptions, type SimulationResult } from "./world/world.ts";

/** Seeds tried until a defect put in on purpose must have been found. */
const CANARY_SEEDS_MAX = 300;
/** One of so many passing seeds is run again, to see that it is the same to the byte. */
const REPEAT_EVERY = 50;

const { values } = parseArgs({
  options: {
    seeds: { type: "string" },
    seed: { type: "string" },
    from: { type: "string", default: "1" },
    jobs: { type: "string", default: "1" },
    canary: { type: "string" },
    trace: { type: "boolean", default: false },
    kept: { type: "boolean", default: false },
    shrink: { type: "boolean", default: false },
    "skip-faults-after": { type: "string" },
    "safety-ms": { type: "string" },
    /** For the processes of `--jobs`: tell the parent what it came to. */
    tally: { type: "boolean", default: false },
  },
});

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function wholeNumber(text: string, name: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  print(`--${name} takes a whole number, not "${text}"`);
  return process.exit(2);
}

function report(result: SimulationResult): void {
  print(
    `seed ${result.seed} FAILED after ${(result.virtualMs / 1000).toFixed(1)} virtual seconds, trace ${result.traceHash}`,
  );
  for (const problem of result.problems.slice(0, 10)) print(`  ${problem}`);
  print(`  again: pnpm sim --seed ${result.seed} --trace`);
}

/** The run as a whole, or its beginning. */
function runOptions(seed: number): SimulationOptions {
  const { "skip-faults-after": strikes, "safety-ms": safety } = values;
  return {
    seed,
    ...(strikes === undefined ? {} : { strikesMax: wholeNumber(strikes, "skip-faults-after") }),
    ...(safety === undefined ? {} : { safetyMs: wholeNumber(safety, "safety-ms") }),
  };
}

function runOne(seed: number): number {
  const options = runOptions(seed);
  const first = simulate(values.trace ? { ...options, onTrace: print } : options);
  const second = simulate(options);
  if (first.problems.length > 0) report(first);
  print(
    `seed ${seed}: ${first.steps} steps, ${first.appends} writes, ${first.reads} reads, trace ${first.traceHash}`,
  );
  for (const [kind, count] of first.faults) print(`  ${kind}: ${count}`);
  if (first.traceHash !== second.traceHash) {
    print(`  the second run differs: ${second.traceHash}`);
    return 1;
  }
  print("  the second run is the same to the byte");
  return first.problems.length === 0 ? 0 : 1;
}

function runShrink(seed: number): number {
  const shrunk = shrink(seed);
  if (shrunk === null) {
    print(`seed ${seed} does not fail`);
    return 0;
  }
  const { options, result, runs } = shrunk;
  report(result);
  const { strikesMax, safetyMs } = options;
  const parts = [
    ...(strikesMax === undefined ? [] : [`--skip-faults-after ${strikesMax}`]),
    ...(safetyMs === undefined ? [] : [`--safety-ms ${safetyMs}`]),
  ];
  print(`  smaller, after ${runs} runs: pnpm sim --seed ${seed} ${parts.join(" ")} --trace`);
  return 1;
}

/** What has once found something, each in one line. */
function runKept(tally: Tally): void {
  for (const { seed, history } of keptSeeds()) {
    const result = simulate({ seed });
    if (result.problems.length === 0) {
      tally.passed++;
      continue;
    }
    tally.failed++;
    report(result);
    print(`  once: ${history}`);
  }
}

function runHere(count: number, from: number): Tally {
  const tally = newTally();
  const cpuBefore = process.cpuUsage();
  for (let seed = from; seed < from + count; seed++) {
    const result = simulate({ seed });
    tally.virtualMs += result.virtualMs;
    tally.operations += result.appends + result.reads;
    tally.steps += result.steps;
    for (const [kind, times] of result.faults)
      tally.faults[kind] = (tally.faults[kind] ?? 0) + times;
    const differs = seed % REPEAT_EVERY === 0 && simulate({ seed }).traceHash !== result.traceHash;
    if (differs) print(`seed ${seed} is not the same in a second run`);
    if (result.problems.length > 0) report(result);
    if (differs || result.problems.length > 0) tally.failed++;
    else tally.passed++;
  }
  const { user, system } = process.cpuUsage(cpuBefore);
  tally.cpuMs = (user + system) / 1000;
  return tally;
}

async function runMany(count: number, from: number): Promise<number> {
  const startedMs = performance.now();
  const jobs = wholeNumber(values.jobs, "jobs");
  const program = fileURLToPath(import.meta.url);
  const tally =
    jobs <= 1
      ? runHere(count, from)
      : await runSideBySide({ program, from, count, jobs, options: [] });
  if (values.tally) {
    process.send!(tally);
    return 0;
  }
  if (values.kept) runKept(tally);
  tell(tally, performance.now() - startedMs);
  const missing = count < ALL_FAULTS_WITHIN_SEEDS ? [] : missingFaults(tally);
  for (const kind of missing) print(`no seed had this fault: ${kind}`);
  return tally.failed === 0 && missing.length === 0 ? 0 : 1;
}

function missingFaults({ faults }: Tally): string[] {
  return [...COMMON_FAULTS, ...RARE_FAULTS].filter((kind) => faults[kind] === undefined);
}

function tell(tally: Tally, wallMs: number): void {
  const { virtualMs, cpuMs } = tally;
  const byName = Object.entries(tally.faults).sort(([left], [right]) => left.localeCompare(right));
  for (const [kind, times] of byName) print(`  ${kind}: ${times}`);
  print(
    `${(virtualMs / 3_600_000).toFixed(2)} virtual hours, ${tally.operations} operations, ${tally.steps} steps ` +
      `in ${(wallMs / 1000).toFixed(0)} s, ${(cpuMs / 1000).toFixed(0)} s of a core ` +
      `(${(virtualMs / cpuMs).toFixed(0)} times real time on one core)`,
  );
  print(`sim: ${tally.passed} passed, ${tally.failed} failed`);
}

function runCanary(name: string): number {
  const canary = CANARIES[name];
  if (canary === undefined) {
    print(`no such canary: ${name}; there are ${Object.keys(CANARIES).join(", ")}`);
    return 2;
  }
  for (let seed = 1; seed <= CANARY_SEEDS_MAX; seed++) {
    const result = simulate({ seed, canary });
    if (result.problems.length === 0) continue;
    print(`canary ${name}: caught by seed ${seed}: ${result.problems[0].split("\n")[0]}`);
    return 0;
  }
  print(`canary ${name}: NOT caught by ${CANARY_SEEDS_MAX} seeds`);
  return 1;
}

if (values.canary !== undefined) process.exitCode = runCanary(values.canary);
else if (values.seed !== undefined && values.shrink)
  process.exitCode = runShrink(wholeNumber(values.seed, "seed"));
else if (values.seed !== undefined) process.exitCode = runOne(wholeNumber(values.seed, "seed"));
else
  process.exitCode = await runMany(
    wholeNumber(values.seeds ?? "100", "seeds"),
    wholeNumber(values.from, "from"),
  );
