import { describe, expect, it } from "vitest";
import { DiskWatch } from "../../src/replica/disk-watch.ts";
import { TestCluster, type TestNode } from "./cluster.ts";
import { MemoryDisk } from "./memory-disk.ts";

const ELECTION_TIMEOUT_MS = 500;

function watched(): { disk: MemoryDisk; watch: DiskWatch; time: { nowMs: number } } {
  const time = { nowMs: 1000 };
  const disk = new MemoryDisk();
  const watch = new DiskWatch(
    disk.log((run) => run()),
    { stallTimeoutMs: 100, tickMsMax: 25, monotonicMs: () => time.nowMs },
  );
  return { disk, watch, time };
}

function ticks(
  parts: ReturnType<typeof watched>,
  count: number,
  stepMs: number,
): (string | null)[] {
  return Array.from({ length: count }, () => {
    parts.time.nowMs += stepMs;
    return parts.watch.tick();
  });
}

describe("the watch over the disk (R50)", () => {
  const write = { hardState: null, entries: [] };

  it("tells a stall when the oldest write has waited longer than the timeout, and its end", () => {
    const parts = watched();
    parts.disk.hang();
    let done = 0;
    parts.watch.submit(write, () => (done += 1));
    expect(ticks(parts, 10, 10).every((change) => change === null)).toBe(true);
    parts.watch.submit(write, () => (done += 1));
    expect(ticks(parts, 1, 10)).toEqual(["begun"]);
    expect(parts.watch.answers).toEqual({ stalledMs: 110, stalls: 1 });
    expect(ticks(parts, 3, 10)).toEqual([null, null, null]);
    parts.disk.answerAgain();
    expect(done).toBe(2);
    expect(ticks(parts, 2, 10)).toEqual(["ended", null]);
    expect(parts.watch.answers).toEqual({ stalledMs: null, stalls: 1 });
  });

  it("counts a beginning of the log as a write", () => {
    const parts = watched();
    parts.disk.hang();
    parts.watch.reset({ index: 5, term: 1 }, () => undefined);
    parts.watch.submit(write, () => undefined);
    expect(ticks(parts, 11, 10).at(-1)).toBe("begun");
  });

  it("takes no pause of the process for a stall: a tick counts for a part of the timeout at most", () => {
    const parts = watched();
    parts.disk.hang();
    parts.watch.submit(write, () => undefined);
    expect(ticks(parts, 4, 60_000)).toEqual([null, null, null, null]);
    expect(ticks(parts, 1, 10)).toEqual(["begun"]);
  });

  it("does not take a full disk for one that hangs, and counts anew when there is room", () => {
    const parts = watched();
    parts.disk.hang();
    parts.watch.submit(write, () => undefined);
    parts.watch.diskFull(true);
    expect(ticks(parts, 20, 20).every((change) => change === null)).toBe(true);
    parts.watch.diskFull(false);
    expect(ticks(parts, 5, 20).every((change) => change === null)).toBe(true);
    expect(ticks(parts, 1, 20)).toEqual(["begun"]);
  });
});

describe("a leader whose disk hangs (R50)", () => {
  function terms(cluster: TestCluster): number[] {
    return cluster.nodes.map((node) => node.replica.core.term());
  }

  function hangLeader(cluster: TestCluster): TestNode {
    cluster.settle();
    const leader = cluster.leader();
    leader.disk.hang();
    leader.write(0, "SET", "asked", "while it hangs");
    cluster.runUntil("the stall is told", () => leader.stalls.length > 0, 2 * ELECTION_TIMEOUT_MS);
    return leader;
  }

  function otherLeader(cluster: TestCluster, not: TestNode): TestNode | undefined {
    return cluster.nodes.find(
      (node) => node !== not && node.isUp && node.replica.role() === "leader",
    );
  }

  it("is replaced within two election timeouts, and all writes go through the new one", () => {
    const cluster = new TestCluster(3);
    const old = hangLeader(cluster);
    const begunMs = cluster.nowMs;
    cluster.runUntil("another leads", () => otherLeader(cluster, old) !== undefined);
    expect(cluster.nowMs - begunMs).toBeLessThan(2 * ELECTION_TIMEOUT_MS);
    for (const node of cluster.nodes) {
      const write = node.write(0, "SET", node.id, "1");
      cluster.runUntil(`a write through ${node.id}`, () => write.outcome !== null);
      expect(write.outcome).toBe("+OK\r\n");
    }
    expect(old.replica.role()).not.toBe("leader");
  });

  it("does not ask for votes and depose the new leader while its disk hangs; then it follows", () => {
    const cluster = new TestCluster(3);
    const old = hangLeader(cluster);
    cluster.runUntil("another leads", () => otherLeader(cluster, old) !== undefined);
    cluster.run(2000);
    const before = terms(cluster);
    cluster.run(60 * ELECTION_TIMEOUT_MS);
    expect(terms(cluster)).toEqual(before);
    old.disk.answerAgain();
    cluster.run(1000);
    expect(old.stalls).toEqual([true, false]);
    expect(old.replica.role()).toBe("follower");
    expect(terms(cluster)).toEqual(before);
    cluster.settle();
  });

  it("refuses to take over when it is asked to", () => {
    const cluster = new TestCluster(3);
    const old = hangLeader(cluster);
    cluster.runUntil("another leads", () => otherLeader(cluster, old) !== undefined);
    const leader = otherLeader(cluster, old)!;
    cluster.run(500);
    const term = leader.replica.core.term();
    old.replica.onPayload(
      leader.id,
      { kind: "raft", message: { kind: "timeoutNow", from: leader.id, to: old.id, term } },
      leader.replica.logicalNowMs(),
    );
    cluster.run(2000);
    expect(old.replica.core.term()).toBe(term);
    expect(leader.replica.role()).toBe("leader");
  });

  it("steps down even when the one that is to take over does not", () => {
    const cluster = new TestCluster(3);
    cluster.drops = (_from, _to, payload) =>
      payload.kind === "raft" && payload.message.kind === "timeoutNow";
    const old = hangLeader(cluster);
    cluster.runUntil(
      "it leads no more",
      () => old.replica.role() !== "leader",
      2 * ELECTION_TIMEOUT_MS,
    );
    cluster.runUntil("another leads", () => otherLeader(cluster, old) !== undefined, 4000);
  });

  it("keeps the office while the disks of all hang, and goes on at once when they answer", () => {
    const cluster = new TestCluster(3);
    cluster.settle();
    const leader = cluster.leader();
    for (const node of cluster.nodes) node.disk.hang();
    const write = leader.write(0, "SET", "k", "v");
    cluster.run(10 * ELECTION_TIMEOUT_MS);
    expect(cluster.nodes.every(({ stalls }) => stalls.length === 1)).toBe(true);
    const before = terms(cluster);
    expect(leader.replica.role()).toBe("leader");
    expect(write.outcome).toBeNull();
    for (const node of cluster.nodes) node.disk.answerAgain();
    const answeredMs = cluster.nowMs;
    cluster.runUntil("the answer", () => write.outcome === "+OK\r\n");
    expect(cluster.nowMs - answeredMs).toBeLessThan(ELECTION_TIMEOUT_MS / 5);
    const next = leader.write(0, "SET", "k", "w");
    cluster.runUntil("the next answer", () => next.outcome === "+OK\r\n");
    cluster.run(2 * ELECTION_TIMEOUT_MS);
    expect(terms(cluster)).toEqual(before);
  });

  it("steps down when the disk of a follower answers before its own does", () => {
    const cluster = new TestCluster(3);
    cluster.settle();
    const leader = cluster.leader();
    for (const node of cluster.nodes) node.disk.hang();
    leader.write(0, "SET", "k", "v");
    cluster.run(10 * ELECTION_TIMEOUT_MS);
    expect(leader.replica.role()).toBe("leader");
    for (const node of cluster.nodes) if (node !== leader) node.disk.answerAgain();
    cluster.runUntil("another leads", () => otherLeader(cluster, leader) !== undefined, 4000);
  });

  it("keeps the office when there is nobody else, and answers when the disk does", () => {
    const cluster = new TestCluster(1);
    cluster.settle();
    const [node] = cluster.nodes;
    node.disk.hang();
    const write = node.write(0, "SET", "k", "v");
    cluster.run(5000);
    expect(node.stalls).toEqual([true]);
    expect(node.replica.role()).toBe("leader");
    expect(write.outcome).toBeNull();
    node.disk.answerAgain();
    cluster.runUntil("the answer", () => write.outcome === "+OK\r\n");
  });
});
