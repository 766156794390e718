import { describe, expect, test } from "vitest";

import { checkBoundaries } from "../../scripts/boundaries/check.ts";
import { findImports } from "../../scripts/boundaries/imports.ts";
import { PlantedTree, plantPackages } from "./planted-tree.ts";

const GATE = "scripts/boundaries.ts";

function check(tree: PlantedTree) {
  return tree.run(GATE, "--root", tree.root);
}

test("A tree in the right order passes and the allowed imports are printed", () => {
  const { exitCode, output } = check(plantPackages(new PlantedTree()));
  expect(output).toContain("cli      may import node, acl");
  expect(output).toMatch(/boundaries: 0 imports in 8 files, 0 not allowed/);
  expect(exitCode).toBe(0);
});

describe("An import against the order is found", () => {
  test.each([
    ["raft/src/a.ts", `import { x } from "@ferrite/storage";`, "not declared"],
    ["raft/src/a.ts", `import { readFileSync } from "node:fs";`, "pure"],
    ["raft/src/a.ts", `const fs = await import("node:fs");`, "pure"],
    ["acl/src/a.ts", `import net from "node:net";`, "pure"],
    ["storage/src/a.ts", `import { Role } from "@ferrite/raft";`, "only types of raft"],
    ["storage/src/a.ts", `import { type Role } from "@ferrite/raft";`, "only types of raft"],
    ["storage/src/keyspace/a.ts", `import { log } from "../disk/log.ts";`, "code of disk"],
    ["storage/src/keyspace/a.ts", `import { hash } from "node:crypto";`, "pure"],
    ["node/src/resp/a.ts", `import type { S } from "../server/s.ts";`, "types of server"],
    ["node/src/commands/a.ts", `export { s } from "../server/s.ts";`, "code of server"],
    ["node/src/a.ts", `import {\n  x,\n} from "../../storage/src/index.ts";`, "leaves"],
    ["node/src/a.ts", `import "../test/setup.ts";`, "leaves"],
    ["node/src/a.ts", `import left from "left-pad";`, "not declared"],
    ["node/src/a.ts", `import { readFileSync } from "fs";`, "node: in front"],
    ["cli/src/a.ts", `import { x } from "@ferrite/raft";`, "not declared"],
  ])("%s: %s", (file, statement, reason) => {
    const tree = plantPackages(new PlantedTree()).write(`packages/${file}`, `${statement}\n`);
    expect(checkBoundaries(tree.root).problems).toEqual([expect.stringContaining(reason)]);
  });

  test("and the gate fails", () => {
    const tree = plantPackages(new PlantedTree());
    tree.write("packages/raft/src/a.ts", `import "node:fs";\n`);
    const { exitCode, output } = check(tree);
    expect(output).toContain("packages/raft/src/a.ts:1: node:fs");
    expect(exitCode).toBe(1);
  });
});

test("A dependency that the order forbids is found in package.json already", () => {
  const manifest = { name: "@ferrite/acl", dependencies: { "@ferrite/node": "workspace:*" } };
  const tree = plantPackages(new PlantedTree());
  tree.write("packages/acl/package.json", JSON.stringify(manifest));
  expect(checkBoundaries(tree.root).problems).toEqual([
    "packages/acl/package.json: may not depend on node",
  ]);
});

test("Checking no file at all is a failure, not a success", () => {
  const { exitCode, output } = check(new PlantedTree());
  expect(output).toContain("nothing was checked");
  expect(exitCode).toBe(1);
});

test("Words in comments and strings are no imports", () => {
  const text = [
    "/* import a from 'a'; */",
    "// import b from 'b'",
    `const text = "import c from 'c'";`,
    `import type { D } from "d";`,
    `export * from "e";`,
  ].join("\n");
  expect(findImports(text)).toEqual([
    { specifier: "d", typeOnly: true, line: 4 },
    { specifier: "e", typeOnly: false, line: 5 },
  ]);
});
