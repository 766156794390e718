/**
 * Known defects are put back one by one, and each has to be noticed.
 *
 *   pnpm mutations [--only R04,C01]   hunt for all, or for some
 *   pnpm mutations --list             say what there is
 *   pnpm mutations --json FILE        write the results down
 *   REWRITE=1 pnpm mutations          put the table into docs/proof.md
 *
 * Each mutation has a process of its own, so that no patched module is left for the next. Ends with 1 when one is not
 * noticed, when it does not run at all, or when the code as it is fails one of the same runs.
 */
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { MUTATIONS } from "./catalogue/all.ts";
import type { HuntResult } from "./hunt.ts";
import type { Hunt, Mutation } from "./mutation.ts";
import { NOT_APPLICABLE } from "./not-applicable.ts";
import { replaceTable, tableOf, type TableRow } from "./table.ts";

/** One mutation's hunt, however many seeds are left. */
const HUNT_SECONDS_MAX = 60;
/** The code as it is has to pass all runs that were used. */
const PROOF_SECONDS_MAX = 600;

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    list: { type: "boolean", default: false },
    json: { type: "string" },
  },
});

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function hunt(name: string, secondsMax: number, hunts: readonly Hunt[]): HuntResult {
  const program = fileURLToPath(new URL("hunt.ts", import.meta.url));
  const child = spawnSync(
    process.execPath,
    [
      "--conditions=@ferrite/source",
      "--disable-warning=ExperimentalWarning",
      program,
      name,
      String(secondsMax),
      JSON.stringify(hunts),
    ],
    { encoding: "utf8", timeout: (secondsMax + 60) * 1000, stdio: ["ignore", "pipe", "pipe"] },
  );
  if (child.status !== 0) throw new Error(`${name} did not run:\n${child.stderr}`);
  return JSON.parse(child.stdout) as HuntResult;
}

function chosen(): readonly Mutation[] {
  if (values.only === undefined) return MUTATIONS;
  const wanted = values.only.split(",");
  const found = MUTATIONS.filter(({ id, bugs }) =>
    wanted.some((name) => id === name || bugs.includes(name)),
  );
  if (found.length === 0) throw new RangeError(`no mutation is called ${values.only}`);
  return found;
}

function list(): void {
  for (const { id, title, hunts } of MUTATIONS) {
    print(`${id.padEnd(12)} ${title}  (${hunts.map((each) => each.in).join(", ")})`);
  }
  for (const [id, reason] of NOT_APPLICABLE) print(`${id.padEnd(12)} not here: ${reason}`);
}

/** Hunts for all that are chosen; null where one was not caught. */
function huntAll(): { readonly rows: readonly TableRow[]; readonly missed: readonly string[] } {
  const rows: TableRow[] = [];
  const missed: string[] = [];
  for (const mutation of chosen()) {
    const { caught, runs, elapsedMs } = hunt(mutation.id, HUNT_SECONDS_MAX, mutation.hunts);
    const seconds = `${(elapsedMs / 1000).toFixed(1)} s`;
    if (caught === null) {
      missed.push(mutation.id);
      print(`${mutation.id.padEnd(12)} NOT CAUGHT by ${runs} runs in ${seconds}`);
      continue;
    }
    rows.push({ mutation, in: caught.in, seeds: caught.seed, check: caught.check });
    print(
      `${mutation.id.padEnd(12)} ${caught.check}, ${caught.in} seed ${caught.seed}, ${seconds}`,
    );
  }
  return { rows, missed };
}

/** The same runs without any mutation. */
function proveHarmless(rows: readonly TableRow[]): boolean {
  const seeds = new Map<string, number>();
  for (const row of rows) seeds.set(row.in, Math.max(seeds.get(row.in) ?? 0, row.seeds));
  const hunts = [...seeds].map(([name, seedsMax]) => ({ in: name, seedsMax }));
  const { caught, runs, elapsedMs } = hunt("none", PROOF_SECONDS_MAX, hunts);
  const planned = hunts.reduce((sum, { seedsMax }) => sum + seedsMax, 0);
  if (caught === null && runs === planned) {
    print(`the code as it is passes the same ${runs} runs (${(elapsedMs / 1000).toFixed(1)} s)`);
    return true;
  }
  print(
    caught === null
      ? `the code as it is: only ${runs} of ${planned} runs in time`
      : `the code as it is FAILS ${caught.in} seed ${caught.seed}: ${caught.problem}`,
  );
  return false;
}

function writeDown(rows: readonly TableRow[]): void {
  if (values.json !== undefined) {
    const results = rows.map(({ mutation, ...caught }) => ({ id: mutation.id, ...caught }));
    writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`);
  }
  if (process.env["REWRITE"] !== "1") return;
  if (values.only !== undefined) throw new RangeError("only the whole table is written down");
  const path = fileURLToPath(new URL("../../../docs/proof.md", import.meta.url));
  writeFileSync(path, replaceTable(readFileSync(path, "utf8"), tableOf(rows)));
}

if (values.list) {
  list();
} else {
  const { rows, missed } = huntAll();
  const isHarmless = proveHarmless(rows);
  const count = rows.length + missed.length;
  print(
    `mutations: ${rows.length} of ${count} caught${missed.length > 0 ? `, missed ${missed.join(", ")}` : ""}`,
  );
  if (missed.length > 0 || !isHarmless) process.exitCode = 1;
  else writeDown(rows);
}
