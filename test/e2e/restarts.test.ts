/**
 * Every node is killed at once, again and again, under load: what was acknowledged is on disks (R40, R43).
 * A killed process leaves to the kernel what it has written; that fsync comes first is for the simulator to prove.
 */
import { afterAll, beforeAll, expect, it } from "vitest";
import { TestCluster, report } from "./harness/cluster.ts";
import { Load } from "./load/load.ts";

const ROUNDS = 20;
/** Acknowledged writes that every connection must see in a round before the nodes are killed. */
const WRITES_BEFORE_KILL = 20;
/** Starting three processes 20 times takes long on a machine with other work. */
const TIMEOUT_MS = 400_000;
const NODES = [0, 1, 2];

let cluster: TestCluster;
beforeAll(async () => {
  // Small enough that rounds meet segments being changed and snapshots being taken.
  cluster = await TestCluster.start({
    settings: {
      "log-segment-bytes": "1mb",
      "snapshot-log-bytes": "64kb",
      "log-cache-bytes": "1mb",
    },
  });
});
afterAll(async () => {
  await cluster.close();
});

it(
  "keeps every acknowledged write through 20 kills of all three nodes, and none that was refused (R40, R43)",
  async () => {
    const load = new Load(cluster, { name: "restarts", nodes: NODES });
    for (let round = 0; round < ROUNDS; round++) {
      await load.start();
      await load.acknowledged(WRITES_BEFORE_KILL);
      await Promise.all(NODES.map((node) => cluster.end(node, "SIGKILL")));
      await load.stop();
      for (const node of NODES) cluster.spawn(node);
      await Promise.all(NODES.map((node) => cluster.ready(node)));
      const violations = await load.violations(round % NODES.length);
      expect(violations, `after round ${round + 1}`).toEqual([]);
    }
    for (const node of NODES) expect(await load.violations(node)).toEqual([]);
    const snapshotIndex = Number((await cluster.status(0)).get("snapshot_index"));
    report(
      `${ROUNDS} kills of all nodes: ${load.count("acknowledged")} writes acknowledged and there, ` +
        `${load.count("unknown")} unknown, ${load.count("refused")} refused, newest snapshot at ${snapshotIndex}`,
    );
    expect(load.count("unknown")).toBeGreaterThan(0);
    expect(snapshotIndex).toBeGreaterThan(0);
  },
  TIMEOUT_MS,
);
