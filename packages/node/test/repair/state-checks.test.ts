import { describe, expect, it } from "vitest";
import type { StateVerdict } from "../../src/repair/state-verdict.ts";
import { InternalWrite } from "../../src/replica/internal-writes.ts";
import { STATE_REPORT_TIMEOUT_MS, StateChecks } from "../../src/repair/state-checks.ts";
import { TestCluster, type TestNode } from "../replica/cluster.ts";

/** Writes through a node, acknowledged. */
function write(cluster: TestCluster, node: TestNode, ...words: readonly string[]): void {
  const pending = node.write(0, ...words);
  cluster.runUntil(`the answer to ${words.join(" ")}`, () => pending.outcome !== null);
  expect(pending.outcome).toBe("+OK\r\n");
}

function filled(
  size: number,
  limits: { readonly stateCheckIntervalMs?: number } = {},
): TestCluster {
  const cluster = new TestCluster(size, limits);
  cluster.settle();
  for (let at = 0; at < 300; at++)
    write(cluster, cluster.nodes[at % size], "SET", `k${at}`, `v${at}`);
  cluster.settle();
  return cluster;
}

/** One bit of one value, as a cosmic ray or a defect would change it. */
function flip(node: TestNode, key: string): void {
  const { keyspace } = node.replica.machine;
  const bytes = Buffer.from(key);
  const ref = keyspace.find(bytes, 0, bytes.length, 0);
  keyspace.valueBuffer(ref)[keyspace.valueStart(ref)] ^= 1;
}

function check(cluster: TestCluster, node: TestNode): StateVerdict {
  let outcome: StateVerdict | string | null = null;
  node.replica.checks.check((verdict) => (outcome = verdict));
  cluster.runUntil("the verdict", () => outcome !== null, 2 * STATE_REPORT_TIMEOUT_MS);
  if (typeof outcome === "string") throw new Error(outcome);
  return outcome as unknown as StateVerdict;
}

describe("a check of the members' states (R32)", () => {
  it("finds equal states equal, asked for at any node, while writes go on", () => {
    const cluster = filled(3);
    for (const node of cluster.nodes) {
      const writes = cluster.nodes.map((each) => each.write(0, "SET", "k7", each.id));
      const verdict = check(cluster, node);
      expect(verdict.outcome).toBe("equal");
      expect(new Set(verdict.members.map(({ report }) => report)).size).toBe(1);
      cluster.runUntil("the writes", () => writes.every(({ outcome }) => outcome !== null));
    }
    expect(cluster.nodes.map((node) => node.replica.checks.verdict?.outcome)).toEqual([
      "equal",
      "equal",
      "equal",
    ]);
  });

  it("is begun by the leader by itself", () => {
    const cluster = filled(3, { stateCheckIntervalMs: 30_000 });
    cluster.run(35_000);
    for (const node of cluster.nodes) expect(node.replica.checks.verdict?.outcome).toBe("equal");
  });

  it.each(["a follower", "the leader"])(
    "stops %s when one bit of its memory is another one, and no other node",
    (who) => {
      const cluster = filled(3);
      const leader = cluster.leader();
      const wrong = who === "the leader" ? leader : cluster.followers()[0];
      const right = cluster.nodes.filter((node) => node !== wrong);
      flip(wrong, "k42");
      right[0].replica.checks.check(() => undefined);
      expect(() => cluster.run(10_000)).toThrow("is not that of the majority");
      expect(cluster.failures).toHaveLength(1);
      cluster.failures.length = 0;
      expect(wrong.replica.service.isStopped).toBe(true);
      expect(wrong.replica.service.writeRefusal()).toContain("stopping");
      wrong.kill();
      cluster.leader();
      for (const node of right) {
        expect(node.replica.checks.verdict?.outcome).toBe("different");
        const states = node.replica.checks.verdict!.members;
        expect(states.find(({ id }) => id === wrong.id)?.state).toBe("different");
        expect(states.filter(({ state }) => state === "equal")).toHaveLength(2);
        write(cluster, node, "SET", "still", "served");
      }
      cluster.runUntil("the alarm is agreed on", () =>
        right.every((node) =>
          node.replica.machine.members.alarms().some(({ nodeId, kind }) => {
            return nodeId === wrong.id && kind === "state";
          }),
        ),
      );
    },
  );

  it("does not take silence for agreement, and says who was silent", () => {
    const cluster = filled(3);
    const silent = cluster.followers()[0];
    silent.kill();
    const verdict = check(cluster, cluster.leader());
    expect(verdict.outcome).toBe("incomplete");
    expect(verdict.members.find(({ id }) => id === silent.id)).toEqual({
      id: silent.id,
      report: null,
      state: "unknown",
    });
  });

  it("does not judge a node that was started again by what it reported before", () => {
    const cluster = filled(3);
    const wrong = cluster.followers()[0];
    flip(wrong, "k42");
    cluster.leader().replica.checks.check(() => undefined);
    expect(() => cluster.run(10_000)).toThrow("is not that of the majority");
    cluster.failures.length = 0;
    wrong.kill();
    cluster.run(2000);
    // Its memory is made anew from its disk, by the same entries: the check and its old report among them.
    wrong.start();
    cluster.settle();
    expect(wrong.replica.service.isStopped).toBe(false);
    expect(wrong.replica.checks.verdict).toBeNull();
    expect(check(cluster, wrong).outcome).toBe("equal");
    cluster.runUntil("the alarm is over", () => {
      return cluster.nodes.every((node) => node.replica.machine.members.alarms().length === 0);
    });
  });

  it("does not disturb a snapshot that is being taken: its node is then no equal one", () => {
    const cluster = filled(3);
    const { keyspace } = cluster.followers()[0].replica.machine;
    const snapshot = keyspace.beginSnapshot();
    expect(check(cluster, cluster.leader()).outcome).toBe("incomplete");
    snapshot.cancel();
    expect(check(cluster, cluster.leader()).outcome).toBe("equal");
  });

  it("gives way to a snapshot that begins, hashes in slices, and says that it was busy", () => {
    const cluster = filled(3);
    const { machine } = cluster.leader().replica;
    const written: string[] = [];
    let nowMs = 0;
    const checks = new StateChecks(
      {
        nodeId: cluster.nodes[0].id,
        // Every look at the clock takes longer than a slice may.
        monotonicMs: () => (nowMs += 2),
        random: () => 0.5,
        machine: () => machine,
        leads: () => false,
        isCaughtUp: () => true,
        members: () => ({ voters: [], others: [] }),
        submit: (bytes) => {
          written.push(bytes.toString("latin1"));
          return null;
        },
        alarm: () => true,
        judged: () => undefined,
        diverged: () => undefined,
      },
      0,
    );
    checks.applied([InternalWrite.CheckState, "one"], cluster.nodes[0].id, 7);
    checks.work();
    expect(checks.isRunnable).toBe(true);
    expect(machine.keyspace.isWalked).toBe(true);
    checks.giveUp();
    expect(machine.keyspace.isWalked).toBe(false);
    expect(written.join("")).toContain("busy");
    checks.applied([InternalWrite.CheckState, "two"], cluster.nodes[0].id, 8);
    let slices = 0;
    for (; checks.isRunnable; slices++) checks.work();
    expect(slices).toBeGreaterThan(2);
    expect(written.at(-1)).toMatch(/two[^]*[0-9a-f]{32}/);
  });

  it("is refused with the reason where nothing can be written", () => {
    const cluster = filled(3);
    const [alone] = cluster.followers();
    cluster.isolate(alone);
    let outcome: StateVerdict | string | null = null;
    cluster.run(15_000);
    alone.replica.checks.check((verdict) => (outcome = verdict));
    cluster.runUntil("the refusal", () => outcome !== null);
    expect(outcome).toContain("CLUSTERDOWN");
  });

  it("finds a cluster of one equal to itself", () => {
    const cluster = filled(1);
    expect(check(cluster, cluster.nodes[0]).outcome).toBe("equal");
  });
});
