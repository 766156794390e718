import { beforeAll, describe, expect, test } from "vitest";

import { PlantedTree } from "./planted-tree.ts";

const GATE = "node_modules/oxlint/bin/oxlint";
const TSCONFIG = `{ "extends": "./tsconfig.base.json", "compilerOptions": { "types": ["node"] } }`;

interface Finding {
  readonly code: string;
  readonly filename: string;
}

function plant(files: Readonly<Record<string, string>>): PlantedTree {
  const tree = new PlantedTree().write("tsconfig.json", TSCONFIG);
  for (const [path, text] of Object.entries(files)) {
    tree.write(path, text);
  }
  return tree;
}

test("Code without a fault passes", () => {
  const tree = plant({ "packages/raft/src/a.ts": "export const answer: number = 1;\n" });
  const { exitCode, output } = tree.run(GATE, "--type-aware");
  expect(output).toContain("0 errors");
  expect(exitCode).toBe(0);
});

describe("A fault is found", () => {
  const impure = {
    clock: ["no-restricted-globals", "export const now: number = Date.now();\n"],
    dice: ["no-restricted-properties", "export const dice: number = Math.random();\n"],
    timer: ["no-restricted-globals", "setTimeout(() => {}, 1);\n"],
    process: ["no-restricted-globals", "export const id: number = process.pid;\n"],
  };
  const rooms = [
    "packages/raft/src",
    "packages/storage/src/keyspace",
    "packages/acl/src",
    "packages/node/src/commands",
  ];
  const promise = "async function later(): Promise<void> {}\n";
  const union =
    'export function f(side: "a" | "b"): void {\n  switch (side) {\n    case "a":\n      break;\n  }\n}\n';
  const faults: [rule: string, path: string, text: string][] = [
    ...rooms.flatMap((room) =>
      Object.entries(impure).map(([name, [rule, text]]): [string, string, string] => [
        rule,
        `${room}/${name}.ts`,
        text,
      ]),
    ),
    ["no-floating-promises", "packages/node/src/floating.ts", `${promise}later();\n`],
    [
      "no-misused-promises",
      "packages/node/src/misused.ts",
      `${promise}if (later()) {\n  later;\n}\n`,
    ],
    ["switch-exhaustiveness-check", "packages/node/src/union.ts", union],
    ["no-explicit-any", "packages/node/src/any.ts", "export const x: any = 1;\n"],
    ["no-default-export", "packages/node/src/default.ts", "export default 1;\n"],
    ["filename-case", "packages/node/src/camelCase.ts", "export {};\n"],
    ["no-console", "packages/node/src/print.ts", 'console.log("x");\n'],
    ["no-cycle", "packages/node/src/hen.ts", 'export { egg as hen } from "./egg.ts";\n'],
    ["no-cycle", "packages/node/src/egg.ts", 'export { hen as egg } from "./hen.ts";\n'],
  ];
  let findings: readonly Finding[] = [];
  let exitCode = 0;

  beforeAll(() => {
    const tree = plant(Object.fromEntries(faults.map(([, path, text]) => [path, text])));
    const run = tree.run(GATE, "--type-aware", "--format=json");
    exitCode = run.exitCode;
    findings = (JSON.parse(run.output) as { diagnostics: Finding[] }).diagnostics;
  });

  test("and the gate fails", () => {
    expect(exitCode).toBe(1);
  });

  test.each(faults)("%s in %s", (rule, path) => {
    const codes = findings.filter((finding) => finding.filename === path).map(({ code }) => code);
    expect(codes).toContainEqual(expect.stringContaining(`(${rule})`));
  });

  test("but not outside of the rooms that promise to be pure", () => {
    const tree = plant({ "packages/node/src/clock.ts": impure.clock[1] });
    expect(tree.run(GATE, "--type-aware").exitCode).toBe(0);
  });
});
