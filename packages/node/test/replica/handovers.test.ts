/** Wishes about who leads, asked anywhere (R51): writes are held while leadership moves, never failed. */
import { describe, expect, it } from "vitest";
import { QUESTIONS_MAX } from "../../src/replica/handovers.ts";
import type { LeadershipOutcome, LeadershipWish } from "../../src/replica/leadership-control.ts";
import { TestCluster, type Pending, type TestNode } from "./cluster.ts";

const TRANSFER: LeadershipWish = { kind: "transfer", target: null };
const CANCEL: LeadershipWish = { kind: "cancel" };

function ask(
  cluster: TestCluster,
  node: TestNode,
  wish: LeadershipWish,
  options: { until?: "accepted" | "moved"; timeoutMs?: number } = {},
): Pending<LeadershipOutcome> {
  const pending: Pending<LeadershipOutcome> = { outcome: null, endedAtMs: 0 };
  const { until = "moved", timeoutMs = 5000 } = options;
  node.replica.leadership.ask(wish, { until, timeoutMs }, (outcome) => {
    if (pending.outcome !== null) cluster.failures.push("answered twice");
    pending.outcome = outcome;
    pending.endedAtMs = cluster.nowMs;
  });
  return pending;
}

function outcomeOf(
  cluster: TestCluster,
  pending: Pending<LeadershipOutcome>,
): LeadershipOutcome | null {
  cluster.runUntil("an answer", () => pending.outcome !== null);
  return pending.outcome;
}

function settled(size = 3): { cluster: TestCluster; leader: TestNode; followers: TestNode[] } {
  const cluster = new TestCluster(size);
  cluster.settle();
  return { cluster, leader: cluster.leader(), followers: cluster.followers() };
}

describe("a transfer of leadership", () => {
  it.each(["the leader", "the target", "another follower"])("can be asked for at %s", (where) => {
    const { cluster, leader, followers } = settled();
    const [target, other] = followers;
    const asked = { "the leader": leader, "the target": target }[where] ?? other;
    const pending = ask(cluster, asked, { kind: "transfer", target: target.id });
    expect(outcomeOf(cluster, pending)).toBe("accepted");
    expect(cluster.leader()).toBe(target);
    expect(leader.replica.leadership.isHandingOver()).toBe(false);
  });

  it("holds writes at all nodes meanwhile, and fails none (R51)", () => {
    const { cluster, leader, followers } = settled();
    const writes: Pending<string>[] = [];
    const started = cluster.nowMs;
    const write = (): void => {
      for (const node of cluster.nodes) {
        writes.push(node.write(0, "SET", `k${writes.length}`, "v".repeat(2000)));
      }
      if (cluster.nowMs < started + 300) cluster.after(1, write);
    };
    write();
    cluster.run(50);
    const pending = ask(cluster, followers[0], { kind: "transfer", target: followers[1].id });
    expect(outcomeOf(cluster, pending)).toBe("accepted");
    expect(pending.endedAtMs - started).toBeLessThan(250);
    cluster.runUntil("all writes are answered", () =>
      writes.every(({ outcome }) => outcome !== null),
    );
    expect(new Set(writes.map(({ outcome }) => outcome))).toEqual(new Set(["+OK\r\n"]));
    expect(cluster.leader()).not.toBe(leader);
    // The gap: how long the slowest of them was held.
    expect(Math.max(...writes.map(({ endedAtMs }) => endedAtMs)) - started).toBeLessThan(600);
  });

  it("goes to the voter that is furthest when none is named", () => {
    const { cluster, leader, followers } = settled();
    const [behind, ahead] = followers;
    cluster.cut(leader, behind);
    leader.write(0, "SET", "a", "1");
    cluster.run(20);
    const pending = ask(cluster, ahead, TRANSFER);
    cluster.run(20);
    cluster.heal();
    expect(outcomeOf(cluster, pending)).toBe("accepted");
    expect(cluster.leader()).toBe(ahead);
  });

  it("is refused when nobody, or not this one, can take over", () => {
    const { cluster, followers } = settled();
    followers[1].kill();
    cluster.run(1000);
    const gone = ask(cluster, followers[0], { kind: "transfer", target: followers[1].id });
    expect(outcomeOf(cluster, gone)).toBe("nobody");
    const stranger = "00000000-0000-4000-8000-0000000000ff";
    const unknown = ask(cluster, followers[0], { kind: "transfer", target: stranger });
    expect(outcomeOf(cluster, unknown)).toBe("nobody");
    const alone = new TestCluster(1);
    alone.settle();
    expect(outcomeOf(alone, ask(alone, alone.leader(), TRANSFER))).toBe("nobody");
  });

  it("is tried again while it does not succeed, given up in time, and costs no write", () => {
    const { cluster, leader, followers } = settled();
    let told = 0;
    cluster.drops = (_from, _to, payload) => {
      const isCall = payload.kind === "raft" && payload.message.kind === "timeoutNow";
      if (isCall) told++;
      return isCall;
    };
    const pending = ask(cluster, followers[0], TRANSFER, { timeoutMs: 3000 });
    const writes: Pending<string>[] = [];
    for (let i = 0; i < 30; i++) {
      writes.push(followers[1].write(0, "INCR", "n"));
      cluster.run(100);
    }
    expect(outcomeOf(cluster, pending)).toBe("stays");
    expect(told).toBeGreaterThan(2);
    expect(cluster.leader()).toBe(leader);
    cluster.runUntil("all are answered", () => writes.every(({ outcome }) => outcome !== null));
    expect(writes.map(({ outcome }) => outcome)).toEqual(
      Array.from({ length: 30 }, (_, i) => `:${i + 1}\r\n`),
    );
    cluster.run(1000);
    expect(leader.replica.leadership.isHandingOver()).toBe(false);
  });

  it("is refused while another one is under way, and can be cancelled", () => {
    const { cluster, leader, followers } = settled();
    cluster.drops = (_from, _to, payload) =>
      payload.kind === "raft" && payload.message.kind === "timeoutNow";
    const first = ask(cluster, followers[0], TRANSFER, { until: "accepted" });
    expect(outcomeOf(cluster, first)).toBe("accepted");
    expect(leader.replica.leadership.isHandingOver()).toBe(true);
    expect(outcomeOf(cluster, ask(cluster, followers[1], TRANSFER))).toBe("underWay");
    expect(outcomeOf(cluster, ask(cluster, followers[1], CANCEL, { until: "accepted" }))).toBe(
      "accepted",
    );
    expect(leader.replica.leadership.isHandingOver()).toBe(false);
    expect(outcomeOf(cluster, ask(cluster, leader, CANCEL, { until: "accepted" }))).toBe("nothing");
    expect(leader.write(0, "SET", "a", "1").outcome).toBeNull();
    cluster.run(100);
    expect(cluster.leader()).toBe(leader);
  });

  it("is asked for again when the answer is lost, and carried out once", () => {
    const { cluster, leader, followers } = settled();
    let answers = 0;
    cluster.drops = (_from, _to, payload) => payload.kind === "leadershipAnswer" && ++answers === 1;
    const pending = ask(cluster, followers[0], { kind: "transfer", target: followers[1].id });
    expect(outcomeOf(cluster, pending)).not.toBeNull();
    expect(cluster.leader()).not.toBe(leader);
  });

  it("waits for a leader, and says so when there is none in time", () => {
    const { cluster, leader, followers } = settled();
    leader.kill();
    followers[0].kill();
    cluster.run(2000);
    const pending = ask(cluster, followers[1], TRANSFER, { timeoutMs: 1000 });
    expect(outcomeOf(cluster, pending)).toBe("timeout");
  });

  it("is answered when the node ends, and refused beyond so many questions at a time", () => {
    const { cluster, leader, followers } = settled();
    leader.kill();
    followers[0].kill();
    cluster.run(2000);
    const pending = Array.from({ length: QUESTIONS_MAX }, () =>
      ask(cluster, followers[1], TRANSFER, { timeoutMs: 60_000 }),
    );
    expect(pending.every(({ outcome }) => outcome === null)).toBe(true);
    expect(ask(cluster, followers[1], TRANSFER).outcome).toBe("timeout");
    followers[1].replica.stop();
    expect(pending.every(({ outcome }) => outcome === "timeout")).toBe(true);
  });
});

it("a leader that is asked to step down does so at once, and another one is elected", () => {
  const { cluster, leader, followers } = settled();
  const { term } = leader.replica.core.status();
  const pending = ask(cluster, followers[0], { kind: "stepDown" }, { until: "accepted" });
  expect(outcomeOf(cluster, pending)).toBe("accepted");
  expect(leader.replica.role()).not.toBe("leader");
  cluster.runUntil("another leader", () => cluster.leader().replica.core.term() > term);
});

it("leadership moves to the member of the highest priority, and stays there", () => {
  const { cluster, leader, followers } = settled();
  const target = followers[1];
  const name = `node${target.id.slice(-1)}`;
  leader.replica.members.propose({ write: "priority", name, priority: 90 }, null, () => undefined);
  cluster.runUntil("the preferred one leads", () => target.replica.role() === "leader");
  cluster.run(20_000);
  expect(cluster.leader()).toBe(target);
});
