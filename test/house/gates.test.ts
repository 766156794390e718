import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

import { isPresent, steps } from "../../scripts/suites/steps.ts";
import { PlantedTree, repository } from "./planted-tree.ts";

/** The arguments by which the gate is really run. */
function gateArguments(name: string): [string, ...string[]] {
  const [program, ...args] = steps.find((step) => step.name === name)?.args ?? [];
  if (program === undefined) {
    throw new RangeError(`no gate is called ${name}`);
  }
  return [program, ...args];
}

describe("format", () => {
  test.each([
    ["export const a: number = 1;\n", 0],
    ["export const a : number=1\n", 1],
  ])("%j ends with %i", (text, exitCode) => {
    const tree = new PlantedTree().write("src/a.ts", text);
    expect(tree.run(...gateArguments("format")).exitCode).toBe(exitCode);
  });

  test("Checking writes nothing", () => {
    const text = "export const a : number=1\n";
    const tree = new PlantedTree().write("src/a.ts", text);
    tree.run(...gateArguments("format"));
    expect(readFileSync(join(tree.root, "src/a.ts"), "utf8")).toBe(text);
  });
});

describe("types", () => {
  const pure = `{ "extends": "./tsconfig.base.json", "include": ["src"], "compilerOptions": { "rootDir": "src", "outDir": "dist" } }`;
  test.each([
    ["a right program", "export const a: number = 1;\n", null],
    ["a wrong type", `export const a: number = "one";\n`, "TS2322"],
    ["an enum, which type stripping can not run", "export enum A {\n  B,\n}\n", "TS1294"],
    ["an export without a type", "export const a = [1].map(String);\n", "TS9010"],
    ["a timer in a package without Node's types", "setTimeout(() => {}, 1);\n", "TS2304"],
    ["Node's modules in such a package", `import "node:fs";\n`, "TS2882"],
  ])("%s", (_, text, code) => {
    const tree = new PlantedTree().write("package.json", `{ "type": "module" }`);
    tree.write("tsconfig.json", pure).write("src/a.ts", text);
    const { exitCode, output } = tree.run(...gateArguments("types"));
    expect(output).toContain(code ?? "");
    expect(exitCode === 0).toBe(code === null);
  });
});

describe("knip", () => {
  const manifest = JSON.stringify({ name: "planted", type: "module", workspaces: ["packages/*"] });
  const member = JSON.stringify({ name: "@ferrite/raft", type: "module", main: "src/index.ts" });
  function plant(): PlantedTree {
    const tree = new PlantedTree().write("package.json", manifest);
    tree.write("pnpm-workspace.yaml", "packages:\n  - packages/*\n");
    return tree.write("packages/raft/package.json", member);
  }

  test("A file that nobody imports is found", () => {
    const tree = plant().write("packages/raft/src/index.ts", "export const a: number = 1;\n");
    tree.write("packages/raft/src/forgotten.ts", "export const b: number = 1;\n");
    const { exitCode, output } = tree.run(...gateArguments("knip"));
    expect(output).toContain("forgotten.ts");
    expect(exitCode).not.toBe(0);
  });

  test("An export that nobody uses is found", () => {
    const tree = plant();
    tree.write("packages/raft/src/index.ts", `export { wanted } from "./parts.ts";\n`);
    tree.write(
      "packages/raft/src/parts.ts",
      "export const wanted: number = 1;\nexport const lonely: number = 1;\n",
    );
    const { exitCode, output } = tree.run(...gateArguments("knip"));
    expect(output).toContain("lonely");
    expect(output).not.toContain("wanted");
    expect(exitCode).not.toBe(0);
  });
});

test("Every gate and suite of npm test that is in the tree names programs that exist", () => {
  const missing = steps
    .filter((step) => isPresent(repository, step))
    .map((step) => step.args.find((arg) => /\.(ts|mjs|js)$|\/bin\//.test(arg)) ?? step.name)
    .filter((program) => !existsSync(join(repository, program)));
  expect(missing).toEqual([]);
});
