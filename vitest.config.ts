import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/**
 * The suites of the house. Each project is run by name (`vitest run --project unit`), so that a
 * quick answer does not wait for real processes.
 *
 * Our own packages are read from source through the condition `@ferrite/source`; a test run needs
 * no build. Only `e2e`, `security`, `compat` and `fuzz` start the built `ferrite` as a process.
 */
const root = fileURLToPath(new URL(".", import.meta.url));
const sourceCondition = "@ferrite/source";
const conditions = [sourceCondition, "node", "module", "import", "default"];

/** What every project shares: how packages are found and how many processes may run at once. */
const shared = {
  root,
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
} as const;

/** `timeoutMs` bounds one test and one hook: a test that hangs is a failure, not a wait. */
function project(name: string, include: string[], timeoutMs: number, fileParallelism: boolean) {
  return {
    ...shared,
    test: {
      name,
      include,
      pool: "forks" as const,
      // Worker threads started by the code under test inherit this and so find sources too.
      execArgv: [`--conditions=${sourceCondition}`, "--disable-warning=ExperimentalWarning"],
      testTimeout: timeoutMs,
      hookTimeout: timeoutMs,
      teardownTimeout: 10_000,
      fileParallelism,
      restoreMocks: true,
    },
  };
}

export default defineConfig({
  test: {
    // Two workers are the size of the machine that the numbers of this project are stated for.
    maxWorkers: 2,
    allowOnly: false,
    reporters: ["default"],
    projects: [
      project("unit", ["packages/*/test/**/*.test.ts"], 15_000, true),
      project("house", ["test/house/**/*.test.ts"], 120_000, true),
      // These start real servers: one file at a time, or they measure each other.
      project("e2e", ["test/e2e/**/*.test.ts"], 180_000, false),
      project("security", ["test/security/**/*.test.ts"], 300_000, false),
      project("compat", ["test/compat/**/*.test.ts"], 120_000, false),
      project("sim", ["test/sim/**/*.test.ts", "test/checkers/**/*.test.ts"], 300_000, true),
      project("fuzz", ["test/fuzz/**/*.test.ts"], 600_000, true),
      project("chaos", ["test/chaos/**/*.test.ts"], 900_000, false),
    ],
  },
});
