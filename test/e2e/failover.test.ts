/** The leader goes away while clients write through the other nodes (R01, R02, R04, R12). */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TestCluster, report } from "./harness/cluster.ts";
import { Load } from "./load/load.ts";

const KILLS = 5;
const PLANNED_STOPS = 3;
/** Acknowledged writes that a connection must see before and after the leader goes. */
const WARM_WRITES = 64;

interface Round {
  readonly gapMs: number;
  readonly writes: number;
  readonly refused: number;
  readonly unknown: number;
  readonly violations: readonly string[];
}

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await TestCluster.start();
});
afterAll(async () => {
  await cluster.close();
});

/** Ends the leader under load from the other nodes, starts it again, and looks on every node at what was kept. */
async function endLeader(name: string, signal: "SIGKILL" | "SIGTERM"): Promise<Round> {
  const leader = await cluster.leader();
  const others = cluster.nodes.map((node) => node.index).filter((index) => index !== leader);
  const load = new Load(cluster, { name, nodes: others });
  await load.start();
  await load.acknowledged(WARM_WRITES);
  load.mark();
  await cluster.end(leader, signal);
  await load.acknowledged(WARM_WRITES);
  const gapMs = load.longestGapMs();
  cluster.spawn(leader);
  await cluster.ready(leader);
  load.mark();
  await load.acknowledged(WARM_WRITES);
  await load.stop();
  const violations: string[] = [];
  for (const node of cluster.nodes) violations.push(...(await load.violations(node.index)));
  return {
    gapMs,
    writes: load.count("acknowledged"),
    refused: load.count("refused"),
    unknown: load.count("unknown"),
    violations,
  };
}

function summary(rounds: readonly Round[]): string {
  const gaps = rounds.map((round) => Math.round(round.gapMs)).join(", ");
  const writes = rounds.reduce((sum, round) => sum + round.writes, 0);
  return `longest pause of a client on another node: ${gaps} ms (${writes} writes)`;
}

describe("clients on the other nodes", () => {
  it("see a pause and no error when the leader is killed, and no write is lost or doubled (R01, R02, R04, R12)", async () => {
    const rounds: Round[] = [];
    for (let round = 0; round < KILLS; round++) {
      rounds.push(await endLeader(`kill${round}`, "SIGKILL"));
    }
    report(`leader killed: ${summary(rounds)}`);
    for (const round of rounds) {
      expect(round).toMatchObject({ refused: 0, unknown: 0, violations: [] });
      expect(round.writes).toBeGreaterThan(0);
    }
  });

  it("see no error when the leader is stopped as planned", async () => {
    const rounds: Round[] = [];
    for (let round = 0; round < PLANNED_STOPS; round++) {
      rounds.push(await endLeader(`stop${round}`, "SIGTERM"));
    }
    report(`leader stopped: ${summary(rounds)}`);
    for (const round of rounds) {
      expect(round).toMatchObject({ refused: 0, unknown: 0, violations: [] });
    }
  });
});

describe("clients of the node that is stopped as planned", () => {
  it("get no error: their connections close, and every write that was answered is kept", async () => {
    const leader = await cluster.leader();
    const load = new Load(cluster, { name: "own", nodes: [leader] });
    await load.start();
    await load.acknowledged(WARM_WRITES);
    await cluster.end(leader, "SIGTERM");
    await load.stop();
    report(
      `the leader's own clients when it is stopped: ${load.count("unknown")} writes without an answer`,
    );
    expect(load.count("refused")).toBe(0);
    cluster.spawn(leader);
    await cluster.ready(leader);
    for (const node of cluster.nodes) expect(await load.violations(node.index)).toEqual([]);
  });
});
