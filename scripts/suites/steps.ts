import { existsSync } from "node:fs";
import { join } from "node:path";

/**
 * What `npm test` consists of, in order: what answers quickly comes first.
 *
 * - `gate`: a program that checks the tree and counts as one test.
 * - `vitest`: a project of vitest.config.ts; its tests are counted one by one.
 * - `program`: a suite with a program of its own that counts as one test.
 */
export interface Step {
  readonly name: string;
  readonly kind: "gate" | "vitest" | "program";
  /** Arguments for Node.js, below the root; for `vitest` derived from the name. */
  readonly args: readonly string[];
  /** The step needs this file or folder; while it is not in the tree, the step is reported absent. */
  readonly needs: string;
  /** Part of `pnpm verify`. */
  readonly verify: boolean;
  /** Runs only with `--long`. */
  readonly long: boolean;
  readonly timeoutMs: number;
}

const MINUTE_MS = 60_000;

function gate(name: string, ...args: string[]): Step {
  return {
    name,
    kind: "gate",
    args,
    needs: args[0],
    verify: true,
    long: false,
    timeoutMs: 5 * MINUTE_MS,
  };
}

function vitest(name: string, needs: string, minutes: number, long: boolean): Step {
  const args = ["node_modules/vitest/vitest.mjs", "run", "--project", name];
  const timeoutMs = minutes * MINUTE_MS;
  return { name, kind: "vitest", args, needs, verify: name === "house", long, timeoutMs };
}

function program(name: string, args: readonly string[], minutes: number, long: boolean): Step {
  const needs = args.find((arg) => arg.endsWith(".ts"))!;
  const timeoutMs = minutes * MINUTE_MS;
  return { name, kind: "program", args, needs, verify: false, long, timeoutMs };
}

const SIM = ["--conditions=@ferrite/source", "--disable-warning=ExperimentalWarning"];

export const steps: readonly Step[] = [
  gate("format", "node_modules/oxfmt/bin/oxfmt", "--check"),
  gate(
    "lint",
    "node_modules/oxlint/bin/oxlint",
    "--type-aware",
    "--report-unused-disable-directives",
  ),
  gate("types", "node_modules/typescript/bin/tsc", "-b"),
  gate("boundaries", "scripts/boundaries.ts"),
  gate("tidy", "scripts/tidy.ts"),
  gate("knip", "node_modules/knip/bin/knip.js"),
  vitest("house", "test/house", 10, false),
  vitest("unit", "packages", 15, false),
  vitest("sim", "test/sim", 15, false),
  program("sim seeds", [...SIM, "test/sim/main.ts", "--kept", "--seeds", "200"], 10, false),
  program("mutations", [...SIM, "test/sim/mutations/main.ts"], 20, false),
  vitest("compat", "test/compat", 10, false),
  vitest("e2e", "test/e2e", 25, false),
  vitest("security", "test/security", 20, false),

  program("sim 500 seeds", [...SIM, "test/sim/main.ts", "--seeds", "500", "--jobs", "2"], 10, true),
  vitest("fuzz", "test/fuzz", 15, true),
  vitest("chaos", "test/chaos", 20, true),
  program("bench smoke", ["test/bench/main.ts", "--quick"], 10, true),
];

/** Is what the step works on in the tree at all? */
export function isPresent(root: string, step: Step): boolean {
  return existsSync(join(root, step.needs));
}
