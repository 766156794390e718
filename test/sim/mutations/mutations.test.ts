import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { MUTATIONS } from "./catalogue/all.ts";
import { checkName } from "./check-name.ts";
import type { HuntResult } from "./hunt.ts";
import { sourceOf } from "./loader.ts";
import { inScenario, type Hunt, type Mutation, type Patch } from "./mutation.ts";
import { NOT_APPLICABLE } from "./not-applicable.ts";
import { PatchError, patchSource, patchesByFile } from "./patch-source.ts";
import { runOf } from "./runs.ts";
import { SCENARIOS } from "./scenarios/all.ts";
import { replaceTable, tableOf } from "./table.ts";

/** As the list numbers them, from the first to the last of each run of numbers. */
const KNOWN_BUGS: readonly string[] = [
  [1, 17],
  [20, 34],
  [40, 45],
  [50, 58],
].flatMap(([first, last]) =>
  Array.from({ length: last - first + 1 }, (_, at) => `R${String(first + at).padStart(2, "0")}`),
);

function hunt(name: string, hunts: readonly Hunt[]): ReturnType<typeof spawnSync> {
  const program = fileURLToPath(new URL("hunt.ts", import.meta.url));
  const flags = ["--conditions=@ferrite/source", "--disable-warning=ExperimentalWarning"];
  const args = [...flags, program, name, "120", JSON.stringify(hunts)];
  return spawnSync(process.execPath, args, { encoding: "utf8", timeout: 180_000 });
}

function mutationOf(id: string): Mutation {
  return MUTATIONS.find((mutation) => mutation.id === id)!;
}

describe("the mutations", () => {
  it.each(MUTATIONS.map((mutation) => [mutation.id, mutation] as const))(
    "%s fits the source as it is, and what it makes of it can be read",
    (_id, mutation) => {
      for (const [file, patches] of patchesByFile(mutation)) {
        expect(() => stripTypeScriptTypes(patchSource(sourceOf(file), patches))).not.toThrow();
      }
    },
  );

  it("touch production code only, one id each, and are looked for where there is something to run", () => {
    expect(new Set(MUTATIONS.map(({ id }) => id)).size).toBe(MUTATIONS.length);
    for (const { patches, hunts } of MUTATIONS) {
      for (const { file } of patches) expect(file).toMatch(/^packages\/\w+\/src\/.+\.ts$/);
      expect(hunts.length).toBeGreaterThan(0);
      for (const { in: name } of hunts) expect(() => runOf(name)).not.toThrow();
    }
  });

  it("stand for every known bug but those that have a reason", () => {
    const put = new Set(MUTATIONS.flatMap(({ bugs }) => bugs));
    expect(put.size).toBeGreaterThanOrEqual(30);
    expect([...put].filter((bug) => NOT_APPLICABLE.has(bug))).toEqual([]);
    expect(KNOWN_BUGS.filter((bug) => !put.has(bug) && !NOT_APPLICABLE.has(bug))).toEqual([]);
  });
});

describe("the scenarios", () => {
  it.each([...SCENARIOS.keys()])("%s holds in the code as it is", (name) => {
    const run = runOf(name);
    for (let seed = 1; seed <= 3; seed++) expect(run(seed)).toEqual([]);
  });

  it("are all looked into for some mutation", () => {
    const used = new Set(MUTATIONS.flatMap(({ hunts }) => hunts.map((each) => each.in)));
    expect(used).toContain("bootstraps");
    expect([...SCENARIOS.keys()].filter((name) => !used.has(name))).toEqual([]);
  });
});

describe("hunting", () => {
  it("catches a mutation in a process of its own", () => {
    const child = hunt("R12", mutationOf("R12").hunts);
    const { caught } = JSON.parse(String(child.stdout)) as HuntResult;
    expect(caught?.check).toBe("history: applied once");
  });

  it("says so when nothing is noticed", () => {
    const child = hunt("none", [inScenario("sent-twice", 2)]);
    expect(JSON.parse(String(child.stdout))).toMatchObject({ caught: null, runs: 2 });
  });

  it("fails for a mutation or a scenario that there is not", () => {
    expect(hunt("R99", []).status).not.toBe(0);
    expect(hunt("none", [inScenario("nowhere", 1)]).status).not.toBe(0);
  });
});

describe("a patch", () => {
  const patch = (find: string, replace: string): Patch => ({ file: "a.ts", find, replace });

  it("is put in its place, with the others of its file", () => {
    expect(patchSource("one two three", [patch("three", "3"), patch("one", "1")])).toBe("1 two 3");
  });

  it.each([
    ["is not there", "x", [patch("four", "4")]],
    ["is there twice", "one one", [patch("one", "1")]],
    ["is empty", "one", [patch("", "1")]],
    ["changes nothing", "one", [patch("one", "one")]],
    ["overlaps another", "one two", [patch("one t", "1"), patch("two", "2")]],
  ])("is an error when what it replaces %s", (_why, source, patches) => {
    expect(() => patchSource(source, patches)).toThrow(PatchError);
  });
});

describe("what noticed a problem", () => {
  it.each([
    ["InvariantError: raft: committedEntryCut: a committed entry", "assertion committedEntryCut"],
    ["node1 stopped: ReplicaError: log matching: node1 and node2 differ", "log matching"],
    ["a: acknowledged 0.00001; is lost", "history: acknowledged writes stay"],
    ["liveness: a request did not end", "liveness"],
  ])("is named from the sentence %s", (sentence, name) => {
    expect(checkName(sentence)).toBe(name);
  });

  it("is nobody when the patch itself does not run", () => {
    expect(checkName("node1 stopped: TypeError: x is not a function")).toBeNull();
  });
});

describe("the table", () => {
  it("takes the place between its marks and nothing else", () => {
    const mutation = mutationOf("R12");
    const table = tableOf([{ mutation, in: "sent-twice", seeds: 1, check: "history" }]);
    const path = fileURLToPath(new URL("../../../docs/proof.md", import.meta.url));
    const text = readFileSync(path, "utf8");
    const replaced = replaceTable(text, table);
    expect(replaced).toContain("| [R12](https://github.com/RedisLabs/redisraft/issues/52) |");
    expect(replaceTable(replaced, table)).toBe(replaced);
    expect(() => replaceTable("no marks", table)).toThrow(RangeError);
  });
});
