/** A cluster that grows, shrinks and loses a disk while clients write (O07, O08). */
import { rmSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FERRITE, TestCluster, report, until } from "./harness/cluster.ts";
import { runProgram, type ProgramResult } from "./harness/program.ts";
import { Load } from "./load/load.ts";

const TIMEOUT_MS = 300_000;
/** Acknowledged writes that every connection must see while a change is on its way. */
const WRITES = 64;

interface MemberFacts {
  readonly name: string;
  readonly id: string;
  readonly role: string;
  readonly leader: boolean;
  readonly connected: boolean;
}

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await TestCluster.start({ nodes: 5, founders: 3 });
}, TIMEOUT_MS);
afterAll(async () => {
  await cluster?.close();
});

/** `ferrite member <words>` against one node. */
function member(node: number, ...words: readonly string[]): Promise<ProgramResult> {
  const [command = "", ...rest] = words;
  const to = ["--host", "127.0.0.1", "--port", String(cluster.nodes[node].port)];
  return runProgram(process.execPath, [FERRITE, "member", command, ...to, ...rest]);
}

async function members(node: number): Promise<readonly MemberFacts[]> {
  const { output, errorOutput } = await member(node, "list", "--json");
  if (output === "") throw new Error(errorOutput);
  return (JSON.parse(output) as { readonly members: readonly MemberFacts[] }).members;
}

async function voters(node: number): Promise<readonly string[]> {
  const all = await members(node);
  return all
    .filter(({ role }) => role === "voter")
    .map(({ name }) => name)
    .toSorted();
}

/** Runs `change` under load through `nodes`; afterwards every promise must have been kept, as every one of them sees it. */
async function underLoad(
  name: string,
  nodes: readonly number[],
  change: (load: Load) => Promise<void>,
): Promise<void> {
  const load = new Load(cluster, { name, nodes });
  await load.start();
  await load.acknowledged(WRITES);
  load.mark();
  await change(load);
  const gapMs = Math.round(load.longestGapMs());
  load.mark();
  await load.acknowledged(WRITES);
  await load.stop();
  report(
    `${name}: ${load.count("acknowledged")} writes, ${load.count("refused")} refused, ` +
      `${load.count("unknown")} unknown, longest pause ${gapMs} ms`,
  );
  expect(load.count("refused") + load.count("unknown")).toBe(0);
  for (const node of nodes) expect(await load.violations(node)).toEqual([]);
}

/** Invites a node, starts it, and waits until it is a voter. */
async function add(asked: number, index: number): Promise<void> {
  const { name } = cluster.nodes[index];
  const invited = await member(asked, "add", "--no-wait", name);
  expect(invited).toMatchObject({ exitCode: 0 });
  cluster.spawn(index);
  await until(`${name} votes`, async () => (await voters(asked)).includes(name), 120_000);
  await cluster.ready(index);
}

/** Removes a member, whose process must then end by itself. */
async function remove(asked: number, index: number): Promise<void> {
  const { name } = cluster.nodes[index];
  const removed = await member(asked, "remove", name);
  expect(removed).toMatchObject({ exitCode: 0 });
  expect(removed.output).toContain(`remove ${name}: done`);
  await until(`${name} has ended`, () => !cluster.isRunning(index));
  expect(cluster.log(index)).toMatch(/removed from (the )?cluster/i);
}

describe("a cluster under load", () => {
  it(
    "refuses what makes no sense, with the reason",
    async () => {
      const unknown = await member(0, "remove", "nobody");
      expect(unknown.exitCode).toBe(1);
      expect(unknown.errorOutput).toContain("unknown member: nobody");
      const taken = await member(1, "add", "node2");
      expect(taken.errorOutput).toContain("name taken");
      const voter = await member(2, "promote", "node1");
      expect(voter.errorOutput).toContain("a voter already");
    },
    TIMEOUT_MS,
  );

  it(
    "grows from three to five and shrinks to three again, without an error for anybody (O08)",
    async () => {
      await underLoad("grow", [0, 1, 2], async (load) => {
        await add(1, 3);
        await load.acknowledged(WRITES);
        await add(2, 4);
      });
      expect(await voters(3)).toEqual(["node1", "node2", "node3", "node4", "node5"]);
      // Two of the founders go, whoever of them leads.
      await underLoad("shrink", [2, 3, 4], async (load) => {
        await remove(3, 0);
        await load.acknowledged(WRITES);
        await remove(4, 1);
      });
      for (const node of [2, 3, 4]) {
        expect(await voters(node)).toEqual(["node3", "node4", "node5"]);
      }
    },
    TIMEOUT_MS,
  );

  it(
    "takes a node back whose disk was lost, under its old name and a new id (O05, O07)",
    async () => {
      const lost = cluster.nodes[4];
      const before = (await members(2)).find(({ name }) => name === lost.name);
      await underLoad("wiped", [2, 3], async () => {
        await cluster.end(4, "SIGKILL");
        rmSync(lost.dataDir, { recursive: true, force: true });
        cluster.spawn(4);
        await until(
          "the new disk votes",
          async () => {
            const now = (await members(2)).filter(({ name }) => name === lost.name);
            return now.length === 1 && now[0].role === "voter" && now[0].id !== before?.id;
          },
          120_000,
        );
        await cluster.ready(4);
      });
      // It really counts: with one of the others gone the two that are left go on.
      await cluster.end(2, "SIGKILL");
      await underLoad("after the replacement", [3, 4], () => Promise.resolve());
      cluster.spawn(2);
      await cluster.ready(2);
    },
    TIMEOUT_MS,
  );

  it(
    "does not let the disk of a removed member back in, and says how it can come back (R31)",
    async () => {
      const removed = cluster.nodes[0];
      cluster.spawn(0);
      await until("it has ended", () => !cluster.isRunning(0));
      expect(cluster.log(0)).toContain("empty data directory");
      rmSync(removed.dataDir, { recursive: true, force: true });
      await add(2, 0);
      expect(await voters(0)).toEqual(["node1", "node3", "node4", "node5"]);
    },
    TIMEOUT_MS,
  );
});
