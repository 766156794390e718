import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll } from "vitest";

/** Folder of the repository. */
export const repository = fileURLToPath(new URL("../..", import.meta.url));

/** The configuration that the gates read; a planted tree is judged by the real one. */
const CONFIGURATION = [".oxlintrc.json", ".oxfmtrc.json", "tsconfig.base.json", "knip.jsonc"];

const planted: string[] = [];
afterAll(() => {
  for (const root of planted.splice(0)) {
    rmSync(root, { recursive: true, force: true });
  }
});

export interface GateRun {
  readonly exitCode: number;
  readonly output: string;
}

/**
 * A small tree with the layout of this one, in a folder of its own, removed after the tests of the file. It
 * starts without a fault; a test plants one and expects the gate to find it.
 */
export class PlantedTree {
  readonly root: string;

  constructor() {
    this.root = mkdtempSync(join(tmpdir(), "ferrite-house-"));
    planted.push(this.root);
    for (const file of CONFIGURATION) {
      copyFileSync(join(repository, file), join(this.root, file));
    }
    symlinkSync(join(repository, "node_modules"), join(this.root, "node_modules"));
    // Without it the gates would follow the link and judge what others wrote.
    writeFileSync(join(this.root, ".gitignore"), "node_modules\n");
  }

  write(path: string, text: string): this {
    const target = join(this.root, path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, text);
    return this;
  }

  /** Runs a program of Node.js in the tree; `program` is a path in the repository. */
  run(program: string, ...args: readonly string[]): GateRun {
    const result = spawnSync(process.execPath, [join(repository, program), ...args], {
      cwd: this.root,
      encoding: "utf8",
      // The gate must not take itself for a part of the test run that asks.
      env: { PATH: process.env["PATH"], HOME: process.env["HOME"], NO_COLOR: "1" },
      timeout: 60_000,
    });
    return { exitCode: result.status ?? 1, output: `${result.stdout}${result.stderr}` };
  }
}

/** Writes packages that the import order accepts, each with one source file. */
export function plantPackages(tree: PlantedTree): PlantedTree {
  const dependencies: Readonly<Record<string, readonly string[]>> = {
    raft: [],
    acl: [],
    storage: ["raft"],
    node: ["raft", "storage", "acl"],
    cli: ["node", "acl"],
  };
  for (const [name, names] of Object.entries(dependencies)) {
    const declared = Object.fromEntries(names.map((other) => [`@ferrite/${other}`, "workspace:*"]));
    const manifest = { name: `@ferrite/${name}`, type: "module", dependencies: declared };
    tree
      .write(`packages/${name}/package.json`, JSON.stringify(manifest))
      .write(`packages/${name}/src/index.ts`, "export const answer: number = 1;\n");
  }
  for (const room of ["storage/src/keyspace", "node/src/resp", "node/src/commands"]) {
    tree.write(`packages/${room}/room.ts`, "export const room: number = 1;\n");
  }
  return tree;
}
