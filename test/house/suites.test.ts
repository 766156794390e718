import { join } from "node:path";
import { describe, expect, test } from "vitest";

import { countVitest, describeResults, ResultFile } from "../../scripts/suites/results.ts";
import { runStep } from "../../scripts/suites/run-step.ts";
import type { Step } from "../../scripts/suites/steps.ts";
import { PlantedTree } from "./planted-tree.ts";

const quiet = { abort: new AbortController().signal, output: "ignore" } as const;

/** Runs test files in a planted tree the way `npm test` runs a suite. */
async function runSuite(files: Readonly<Record<string, string>>) {
  const tree = new PlantedTree();
  tree.write("package.json", `{ "type": "module" }`);
  tree.write("vitest.config.ts", `export default { test: { include: ["test/**/*.test.ts"] } };\n`);
  for (const [name, text] of Object.entries(files)) {
    tree.write(`test/${name}`, `import { test, expect } from "vitest";\n${text}`);
  }
  const step: Step = {
    name: "planted",
    kind: "vitest",
    args: ["node_modules/vitest/vitest.mjs", "run"],
    needs: "test",
    verify: false,
    long: false,
    timeoutMs: 60_000,
  };
  return await runStep(tree.root, step, new ResultFile(tree.root, false), quiet);
}

function programStep(args: readonly string[], timeoutMs: number): Step {
  const kind = "program" as const;
  return { name: "planted", kind, args, needs: ".", verify: false, long: false, timeoutMs };
}

describe("A vitest suite", () => {
  test("counts what passed, failed and was skipped", async () => {
    const result = await runSuite({
      "a.test.ts": `test("a", () => {});\ntest("b", () => expect(1).toBe(2));\ntest.skip("c", () => {});\n`,
    });
    expect(result).toMatchObject({ passed: 1, failed: 1, skipped: 1 });
    // What failed and why is said again behind all suites.
    expect(describeResults([result])).toMatch(/a\.test\.ts: b\n.*expected 1 to be 2/);
  });

  test("fails when a file does not load, though no test failed", async () => {
    const result = await runSuite({
      "a.test.ts": `test("a", () => {});\n`,
      "b.test.ts": `throw new Error("does not load");\n`,
    });
    expect(result).toMatchObject({ passed: 1, failed: 1 });
  });

  test("fails when there is no test at all", async () => {
    expect(await runSuite({})).toMatchObject({ passed: 0, failed: 1 });
  });

  test("fails when an error is thrown outside of any test", async () => {
    const result = await runSuite({
      "a.test.ts": `test("a", async () => {\n  void Promise.reject(new Error("lost"));\n  await new Promise((resolve) => setImmediate(resolve));\n});\n`,
    });
    expect(result).toMatchObject({ passed: 1, failed: 1 });
  });

  test("fails when it wrote no report", () => {
    const file = join(new PlantedTree().root, "missing.json");
    expect(countVitest(file, 0)).toMatchObject({ passed: 0, failed: 1, skipped: 0 });
  });
});

describe("A program", () => {
  test.each([
    ["passes with exit code 0", "process.exitCode = 0", 1, 0],
    ["fails with any other", "process.exitCode = 3", 0, 1],
    ["fails by a signal", "process.kill(process.pid, 'SIGKILL')", 0, 1],
  ])("%s", async (_, script, passed, failed) => {
    const { root } = new PlantedTree();
    const step = programStep(["--eval", script], 30_000);
    const result = await runStep(root, step, new ResultFile(root, false), quiet);
    expect(result).toMatchObject({ passed, failed });
  });

  test("that exceeds its time is ended and fails", async () => {
    const { root } = new PlantedTree();
    const step = programStep(["--eval", "setInterval(() => {}, 1000)"], 200);
    const result = await runStep(root, step, new ResultFile(root, false), quiet);
    expect(result).toMatchObject({ passed: 0, failed: 1 });
  });
});

test("The last line is the sum, and a second run adds to the first", () => {
  const { root } = new PlantedTree();
  const counts = { skipped: 0, durationMs: 1, failures: [] };
  new ResultFile(root, false).add({ name: "a", passed: 2, failed: 0, ...counts });
  const second = new ResultFile(root, true);
  second.add({ name: "b", passed: 3, failed: 1, ...counts });
  expect(describeResults(second.all()).split("\n").at(-1)).toBe("5 passed, 1 failed");
  expect(new ResultFile(root, false).all()).toEqual([]);
});
