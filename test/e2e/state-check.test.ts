/** The members compare their data (R32): real nodes, one of which has a bit changed in its memory. */
import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { TestCluster, until } from "./harness/cluster.ts";

const PRELOAD = fileURLToPath(new URL("harness/flipped-bit.ts", import.meta.url));
const WRITES = 200;

let cluster: TestCluster | null = null;
afterEach(async () => {
  await cluster?.close();
  cluster = null;
});

function flipFile(name: string): string {
  return join(tmpdir(), `ferrite-flip-${process.pid}-${name}`);
}

async function start(nodes: number): Promise<TestCluster> {
  cluster = await TestCluster.start({
    nodes,
    environmentOf: (name) => ({
      NODE_OPTIONS: `--import=${PRELOAD} --disable-warning=ExperimentalWarning`,
      TEST_FLIP_FILE: flipFile(name),
    }),
  });
  for (let at = 0; at < WRITES; at++)
    await cluster.call(at % nodes, "SET", `key:${at}`, `value ${at}`);
  await cluster.call(0, "SET", "flip-me", "whole");
  return cluster;
}

/** What FERRITE.STATE CHECK says: the outcome, and of each member its state by name. */
async function check(
  target: TestCluster,
  node: number,
): Promise<{ outcome: string; states: Record<string, string> }> {
  const reply = await target.call(node, "FERRITE.STATE", "CHECK");
  if (!Array.isArray(reply)) throw new Error(JSON.stringify(reply));
  const members = reply[5] as readonly (readonly string[])[];
  const states = members.map((facts) => [facts[1], facts[5]] as const);
  return { outcome: reply[1] as string, states: Object.fromEntries(states) };
}

describe("members that compare their data", () => {
  it.each(["a follower", "the leader"])(
    "find a bit that changed in the memory of %s: it stops, and comes back with the data of the others (R32)",
    async (who) => {
      const target = await start(3);
      expect((await check(target, 1)).outcome).toBe("equal");
      const leader = await target.leader();
      const wrong = who === "the leader" ? leader : (leader + 1) % 3;
      const [one, other] = [(wrong + 1) % 3, (wrong + 2) % 3];
      writeFileSync(flipFile(target.nodes[wrong].name), "");
      const { outcome, states } = await check(target, one);
      expect(outcome).toBe("different");
      expect(states[target.nodes[wrong].name]).toBe("different");
      expect(states[target.nodes[one].name]).toBe("equal");
      await until("it has stopped by itself", () => !target.isRunning(wrong));
      expect(target.log(wrong)).toContain("is not that of the majority");
      await until("the alarm is agreed on", async () => {
        return JSON.stringify(await target.call(other, "FERRITE.MEMBER", "LIST")).includes(
          "not that of the majority",
        );
      });
      expect(await target.call(other, "SET", "meanwhile", "1")).toBe("OK");

      target.spawn(wrong);
      await target.ready(wrong);
      expect(target.log(wrong)).toContain("it was put aside, and comes from the other nodes");
      await until("it is whole again", async () => {
        return (await target.status(wrong)).get("disk_missing_up_to") === null;
      });
      expect(await target.call(wrong, "GET", "flip-me")).toBe("whole");
      expect(await target.call(wrong, "GET", "meanwhile")).toBe("1");
      expect(await target.call(wrong, "GET", "key:99")).toBe("value 99");
      expect((await check(target, wrong)).outcome).toBe("equal");
      await until("the alarm is over", async () => {
        return !JSON.stringify(await target.call(other, "FERRITE.MEMBER", "LIST")).includes(
          "not that of the majority",
        );
      });
    },
  );

  it("tell who did not answer, and do not call that equal (R32)", async () => {
    const target = await start(3);
    const leader = await target.leader();
    await target.end((leader + 1) % 3, "SIGKILL");
    const { outcome, states } = await check(target, leader);
    expect(outcome).toBe("incomplete");
    expect(states[target.nodes[(leader + 1) % 3].name]).toBe("unknown");
    await until("it is told", () => target.log(leader).includes("could not be shown to be equal"));
  });
});
