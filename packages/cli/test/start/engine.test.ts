import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { ENGINE_FLAGS, tuneEngine } from "../../src/start/engine.ts";

/** What V8 says when it is asked for its options: each on a line of its own, by its name. */
function optionsOfV8(): string {
  const { stdout } = spawnSync(process.execPath, ["--v8-options"], { encoding: "utf8" });
  return stdout;
}

test("every setting of the engine is one that this V8 knows, so that none is lost with a new Node unnoticed", () => {
  const known = optionsOfV8();
  for (const flag of ENGINE_FLAGS) {
    const name = flag.slice(0, flag.indexOf("="));
    expect(known).toContain(`  ${name} (`);
  }
});

test("a node's process takes all settings of the engine while it runs, without a word", () => {
  const program = `
    const { setFlagsFromString } = require("node:v8");
    for (const flag of ${JSON.stringify(ENGINE_FLAGS)}) setFlagsFromString(flag);`;
  const { status, stderr, stdout } = spawnSync(process.execPath, ["-e", program], {
    encoding: "utf8",
  });
  expect({ status, stderr, stdout }).toEqual({ status: 0, stderr: "", stdout: "" });
});

test("the engine is given each setting once", () => {
  const given: string[] = [];
  tuneEngine((flag) => given.push(flag));
  expect(given).toEqual([...new Set(ENGINE_FLAGS)]);
  expect(given.length).toBeGreaterThan(0);
});
