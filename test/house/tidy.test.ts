import { describe, expect, test } from "vitest";

import { checkTidiness } from "../../scripts/tidy/check.ts";
import { BLOB_SIZE_BYTES_MAX, FILE_LINES_MAX } from "../../scripts/tidy/rules.ts";
import { PlantedTree } from "./planted-tree.ts";

const GATE = "scripts/tidy.ts";
const longest = "export {};\n".repeat(FILE_LINES_MAX);

test("A tree that keeps the rules passes", () => {
  const tree = new PlantedTree().write("a.md", "# Title\n\n```sh\n# comment\n```\n");
  tree.write("src/a.ts", longest).write("a.bin", "x".repeat(BLOB_SIZE_BYTES_MAX));
  const { exitCode, output } = tree.run(GATE, "--root", tree.root);
  expect(output).toContain("0 problems");
  expect(exitCode).toBe(0);
});

describe("A broken rule is found", () => {
  const unfinished = ["TO", "DO"].join("");
  const focused = ["test", "only"].join(".");
  const folder = ["", "tmp", "data"].join("/");
  test.each([
    ["noUnfinishedWork", "src/a.ts", `// ${unfinished}: later\n`],
    ["noMachinePaths", "src/a.ts", `const folder = "${folder}";\n`],
    ["noLargeBlobs", "a.bin", "x".repeat(BLOB_SIZE_BYTES_MAX + 1)],
    ["noRunLeftovers", "isolate-0x1-2-v8.log", "v8-platform,linux\n"],
    ["noLongFiles", "src/a.ts", `${longest}export {};\n`],
    ["oneTitle", "a.md", "no title\n"],
    ["oneTitle", "a.md", "# One\n\n# Two\n"],
    ["noMagnets", "src/string-utils.ts", "export {};\n"],
    ["noMagnets", "src/common/a.ts", "export {};\n"],
    ["noFocusedTests", "packages/raft/test/a.test.ts", `${focused}("x", () => {});\n`],
    ["testsAreFound", "packages/raft/src/a.test.ts", "export {};\n"],
    ["testsAreFound", "test/house/a.spec.ts", "export {};\n"],
    ["exactVersions", "packages/raft/package.json", `{"dependencies":{"a":"^1.0.0"}}`],
  ])("%s in %s", (rule, path, text) => {
    const tree = new PlantedTree().write(path, text);
    expect(checkTidiness(tree.root).problems).toEqual([expect.stringContaining(`(${rule})`)]);
  });

  test("and the gate fails", () => {
    const tree = new PlantedTree().write("a.md", "no title\n");
    const { exitCode, output } = tree.run(GATE, "--root", tree.root);
    expect(output).toContain("1 problems");
    expect(exitCode).toBe(1);
  });
});
