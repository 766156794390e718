import { afterEach, describe, expect, it } from "vitest";
import { change, MemberCluster, type MemberNode } from "./member-cluster.ts";

let cluster: MemberCluster;

afterEach(() => {
  for (const { node } of cluster.nodes) if (node.isUp) node.replica.stop();
});

function formed(size: number): MemberCluster {
  cluster = new MemberCluster(size).settle();
  return cluster;
}

function write(at: MemberNode, key: string, value: string): void {
  const pending = at.node.write(0, "SET", key, value);
  cluster.timers.runUntil("a write", () => pending.outcome !== null);
  expect(pending.outcome).toBe("+OK\r\n");
}

function value(at: MemberNode, key: string): string | null {
  const { keyspace } = at.node.replica;
  const bytes = Buffer.from(key);
  const ref = keyspace.find(bytes, 0, bytes.length, 0);
  if (ref === 0) return null;
  const start = keyspace.valueStart(ref);
  const end = start + keyspace.valueLength(ref);
  return Buffer.from(keyspace.valueBuffer(ref).subarray(start, end)).toString();
}

describe("members of a cluster", () => {
  it("reaches feature level 1 right after forming, and every member announces itself (O05, O13)", () => {
    formed(3);
    cluster.timers.runUntil("announced", () =>
      cluster
        .leader()
        .table.all()
        .every(({ record }) => record.version === "1.2.3"),
    );
    expect(
      cluster
        .leader()
        .table.all()
        .map(({ record }) => record.peerAddress),
    ).toEqual(["node1.test:16379", "node2.test:16379", "node3.test:16379"]);
    cluster.agree();
  });

  it("goes from three to five and back to three without an error (O08)", () => {
    formed(3);
    write(cluster.leader(), "k", "1");
    for (const name of ["node4", "node5"]) {
      const asked = cluster.ask(change({ kind: "add", name }));
      cluster.newDisk(name);
      cluster.timers.runUntil("an answer", () => asked.outcome !== null);
      expect(cluster.end(cluster.leader().table.change!.id)).toMatchObject({ phase: "done" });
    }
    expect(cluster.voters()).toEqual(["node1", "node2", "node3", "node4", "node5"]);
    write(cluster.named("node5"), "k", "2");
    cluster.agree();
    expect(cluster.nodes.map((node) => value(node, "k"))).toEqual(["2", "2", "2", "2", "2"]);
    for (const name of ["node4", "node1"]) {
      expect(cluster.outcome({ kind: "remove", name })).toMatchObject({ phase: "done" });
    }
    expect(cluster.voters()).toEqual(["node2", "node3", "node5"]);
    write(cluster.named("node5"), "k", "3");
  });
});

describe("an empty disk under an old name", () => {
  it("replaces its old self by one joint change, and never votes before (O07)", () => {
    formed(3);
    write(cluster.leader(), "k", "1");
    const old = cluster.named("node3");
    old.stop();
    const fresh = cluster.newDisk("node3");
    cluster.timers.runUntil("a replacement", () => {
      const { voters, votersOutgoing } = cluster.leader().node.replica.core.status().configuration;
      const votes = voters.includes(fresh.id);
      // Its own core counts it only with the configuration that has swapped it for the old one.
      if (votes && votersOutgoing.length === 0) expect(voters).not.toContain(old.id);
      if (!votes) expect(fresh.node.replica.role()).toBe("learner");
      return votes && votersOutgoing.length === 0;
    });
    expect(cluster.end(1)).toMatchObject({
      kind: "replace",
      phase: "done",
      target: fresh.id,
      replaces: old.id,
    });
    expect(value(fresh, "k")).toBe("1");
    write(fresh, "k", "2");
    cluster.agree();
    expect(cluster.leader().table.isRemoved(old.id)).toBe(true);
  });

  it("is refused with a clear reason while its old self runs: two nodes have one name", () => {
    formed(3);
    const fresh = cluster.newDisk("node3");
    cluster.timers.runUntil("a refusal", () => cluster.leader().table.change !== null);
    expect(cluster.leader().table.change).toMatchObject({
      phase: "refused",
      reason: `another disk (${fresh.id}) asks to take the place of node3, which is running on its own: two nodes have one name`,
    });
    expect(cluster.voters()).toEqual(["node1", "node2", "node3"]);
    // Once the old one has stopped the new one is taken, without being asked again by anybody.
    cluster.timers.run(2000);
    cluster.nodes[2].stop();
    cluster.timers.runUntil(
      "a replacement",
      () => cluster.leader().table.change?.phase === "done",
      200_000,
    );
    expect(cluster.leader().table.named("node3")?.record.id).toBe(fresh.id);
  });

  it("that comes back as the old disk after it was replaced is no member and stops", () => {
    formed(3);
    const old = cluster.named("node3");
    old.stop();
    cluster.newDisk("node3");
    cluster.timers.runUntil("a replacement", () => cluster.leader().table.isRemoved(old.id));
    cluster.start(old);
    const termBefore = cluster.leader().node.replica.core.term();
    cluster.timers.run(3000);
    // Nobody told it here that it is removed (the links do): it disturbs nobody meanwhile.
    expect(cluster.leader().node.replica.core.term()).toBe(termBefore);
    const pending = old.node.write(0, "SET", "k", "from the dead");
    cluster.timers.run(3000);
    expect(value(cluster.leader(), "k")).toBeNull();
    expect(pending.outcome).not.toBe("+OK\r\n");
  });

  it("that loses its disk again while it joins is followed to the newest one", () => {
    formed(3);
    cluster.named("node3").stop();
    // It can not catch up: what is sent to it is lost.
    const first = cluster.newDisk("node3");
    cluster.timers.drops = (_from, to) => to === first.id;
    cluster.timers.runUntil("a learner", () => cluster.learners().length === 1);
    first.stop();
    cluster.timers.drops = () => false;
    const second = cluster.newDisk("node3");
    expect(cluster.end(1)).toMatchObject({ phase: "done", target: second.id });
    cluster.timers.runUntil("order", () => cluster.leader().table.isRemoved(first.id));
    expect([cluster.voters(), cluster.learners()]).toEqual([["node1", "node2", "node3"], []]);
  });
});

describe("a change of the members", () => {
  it("asked of a leader that is cut off is not made, and what it had written is gone when it is back (R03)", () => {
    formed(3);
    const isolated = cluster.leader();
    const others = cluster.nodes.filter((node) => node !== isolated);
    cluster.timers.isolate(isolated.node);
    const asked = cluster.ask(change({ kind: "remove", name: others[0].name }), isolated);
    cluster.timers.run(1000);
    expect(isolated.node.replica.core.status().configuration.voters).toHaveLength(3);
    const next = cluster.leader();
    expect(next).not.toBe(isolated);
    write(next, "k", "kept");
    cluster.timers.heal();
    cluster.agree();
    cluster.timers.runUntil("an answer", () => asked.outcome !== null);
    cluster.timers.run(2000);
    // It went into the log of the new leader at last (the node forwards it), or was given up: never half.
    const { change: last } = cluster.leader().table;
    expect(asked.outcome!.ok ? last?.phase : last).toBe(asked.outcome!.ok ? "done" : null);
    expect(cluster.nodes.filter(({ isUp }) => isUp).map((node) => value(node, "k"))).not.toContain(
      null,
    );
  });

  it("of two to one needs both: the one that is left alone can not remove the other (R03)", () => {
    formed(2);
    const leader = cluster.leader();
    const other = cluster.nodes.find((node) => node !== leader)!;
    // It goes the moment before the configuration that removes it comes.
    cluster.ask(change({ kind: "remove", name: other.name }), leader);
    cluster.timers.runUntil("agreement to change", () => leader.table.change?.phase === "changing");
    other.stop();
    cluster.timers.run(5000);
    expect(leader.node.replica.machine.configuration.voters).toHaveLength(2);
    expect(leader.node.replica.role()).not.toBe("leader");
    cluster.start(other);
    cluster.timers.runUntil("the end", () => leader.isUp && leader.table.change?.phase === "done");
  });

  it("that would lose quorum is refused, and the removal of a dead member is not", () => {
    formed(3);
    const leader = cluster.leader();
    const [dead, alive] = cluster.nodes.filter((node) => node !== leader);
    dead.stop();
    cluster.timers.run(1000);
    expect(cluster.outcome({ kind: "remove", name: alive.name })).toMatchObject({
      phase: "refused",
      reason:
        "would lose quorum: of the 2 voters that there would be 1 are in contact with the leader, and it takes 2",
    });
    expect(cluster.outcome({ kind: "demote", name: alive.name })).toMatchObject({
      phase: "refused",
    });
    expect(cluster.outcome({ kind: "remove", name: dead.name })).toMatchObject({ phase: "done" });
    write(cluster.leader(), "k", "1");
  });

  it("goes on under the next leader, whenever the last one dies (one change, no half of it)", () => {
    for (const phase of ["waiting", "catchingUp", "changing"] as const) {
      formed(3);
      const asked = cluster.ask(change({ kind: "add", name: "node4" }));
      if (phase !== "waiting") cluster.newDisk("node4");
      cluster.timers.runUntil(phase, () => cluster.leader().table.change?.phase === phase);
      const before = cluster.leader();
      before.stop();
      if (phase === "waiting") cluster.newDisk("node4");
      expect(cluster.end(1)).toMatchObject({ phase: "done" });
      cluster.start(before);
      cluster.agree();
      expect(cluster.voters()).toEqual(["node1", "node2", "node3", "node4"]);
      expect(asked.outcome).toMatchObject({ ok: true });
    }
  });

  it("adds a learner that stays one, promotes it and demotes it again", () => {
    formed(3);
    cluster.answer(change({ kind: "add", name: "node4", asLearner: true }));
    cluster.newDisk("node4");
    expect(cluster.end(1)).toMatchObject({ phase: "done" });
    expect([cluster.voters().length, cluster.learners()]).toEqual([3, ["node4"]]);
    cluster.agree();
    expect(cluster.outcome({ kind: "promote", name: "node4" })).toMatchObject({ phase: "done" });
    expect([cluster.voters().length, cluster.learners()]).toEqual([4, []]);
    expect(cluster.outcome({ kind: "demote", name: "node4" })).toMatchObject({ phase: "done" });
    expect(cluster.learners()).toEqual(["node4"]);
    expect(cluster.outcome({ kind: "remove", name: "node4" })).toMatchObject({ phase: "done" });
    expect(cluster.learners()).toEqual([]);
  });

  it("does not promote a learner that lags", () => {
    formed(3);
    cluster.answer(change({ kind: "add", name: "node4", asLearner: true }));
    const learner = cluster.newDisk("node4");
    cluster.end(1);
    cluster.agree();
    cluster.timers.isolate(learner.node);
    cluster.timers.run(1000);
    expect(cluster.outcome({ kind: "promote", name: "node4" })).toMatchObject({
      phase: "refused",
      reason: "not caught up: the leader does not hear of it",
    });
  });

  it("replaces a member by another node in one change", () => {
    formed(3);
    const [gone] = cluster.nodes.filter((node) => node !== cluster.leader());
    cluster.answer(change({ kind: "replace", name: gone.name, newcomer: "node9" }));
    cluster.newDisk("node9");
    expect(cluster.end(1)).toMatchObject({ phase: "done" });
    expect(cluster.voters()).toContain("node9");
    expect(cluster.voters()).not.toContain(gone.name);
    expect(cluster.voters()).toHaveLength(3);
    // By a learner, which is there already.
    cluster.answer(change({ kind: "add", name: "node8", asLearner: true }));
    cluster.newDisk("node8");
    expect(cluster.end(2)).toMatchObject({ phase: "done" });
    expect(cluster.outcome({ kind: "replace", name: "node9", newcomer: "node8" })).toMatchObject({
      phase: "done",
    });
    expect([cluster.voters().includes("node8"), cluster.learners()]).toEqual([true, []]);
  });

  it.each(["remove", "demote"] as const)("%s of the leader hands leadership over first", (kind) => {
    formed(3);
    const leader = cluster.leader();
    const terms = new Set<number>();
    cluster.answer(change({ kind, name: leader.name }));
    cluster.timers.runUntil("the end", () => {
      for (const { node, isUp } of cluster.nodes) if (isUp) terms.add(node.replica.core.term());
      return cluster.nodes.some(({ table, isUp }) => isUp && table.change?.phase === "done");
    });
    expect(cluster.leader()).not.toBe(leader);
    expect(cluster.voters()).not.toContain(leader.name);
    // One election, asked for by the old leader: nobody waited for a timeout.
    expect(terms.size).toBe(2);
  });

  it("that was cancelled sends the node home that had joined with it", () => {
    formed(3);
    cluster.answer(change({ kind: "add", name: "node4" }));
    const joiner = cluster.newDisk("node4");
    cluster.timers.drops = (_from, to) => to === joiner.id;
    cluster.timers.runUntil("a learner", () => cluster.learners().length === 1);
    expect(cluster.answer({ write: "cancel" })).toMatchObject({ ok: true, changeId: 1 });
    cluster.timers.runUntil("order", () => cluster.leader().table.isRemoved(joiner.id));
    expect(cluster.learners()).toEqual([]);
    expect(cluster.leader().table.change).toMatchObject({ phase: "cancelled" });
    expect(cluster.outcome({ kind: "remove", name: "node1" })).toMatchObject({ phase: "done" });
  });

  it("removes and adds a name again, and all can be started again afterwards (R31)", () => {
    formed(3);
    const first = cluster.named("node3");
    expect(cluster.outcome({ kind: "remove", name: "node3" })).toMatchObject({ phase: "done" });
    if (first.isUp) first.stop();
    cluster.answer(change({ kind: "add", name: "node3" }));
    cluster.newDisk("node3");
    expect(cluster.end(2)).toMatchObject({ phase: "done" });
    cluster.agree();
    const members = cluster.nodes.filter((node) => node !== first);
    for (const node of members) node.stop();
    for (const node of members) cluster.start(node);
    expect(cluster.voters()).toEqual(["node1", "node2", "node3"]);
    cluster.agree();
    write(cluster.leader(), "k", "1");
  });
});

describe("a node that was removed", () => {
  it("that led stops when it applies that, and stops again at every start (R11)", () => {
    formed(3);
    const leader = cluster.leader();
    cluster.answer(change({ kind: "remove", name: leader.name }));
    // Whoever leads when its removal is committed applies it itself.
    cluster.timers.runUntil("its end", () =>
      cluster.nodes.some(({ isUp, table }) => isUp && table.isRemoved(leader.id)),
    );
    const other = cluster.leader();
    expect(other.table.isRemoved(leader.id)).toBe(true);
    expect(other.linked?.removed).toEqual([leader.id]);
    expect(other.linked?.members.map(({ name }) => name)).not.toContain(leader.name);
  });

  it("has its writes applied by nobody, those that were on their way too (R12)", () => {
    formed(3);
    const gone = cluster.nodes.find((node) => node !== cluster.leader())!;
    write(gone, "k", "1");
    expect(cluster.outcome({ kind: "remove", name: gone.name })).toMatchObject({ phase: "done" });
    const leader = cluster.leader();
    const key = Buffer.from(gone.id.replaceAll("-", ""), "hex").toString("latin1");
    const verdict = leader.node.replica.machine.sessions.advance(key, 1e15, 1);
    expect(verdict).toBe("ended");
  });
});

describe("a node of the same authority and token", () => {
  it("joins by itself where member-join is auto, and not where it is invited", () => {
    formed(3);
    const stranger = cluster.newDisk("node7");
    cluster.timers.run(10_000);
    expect(cluster.leader().table.joiners()).toEqual([]);
    for (const node of cluster.nodes) node.anybody = true;
    cluster.timers.runUntil("a member", () => cluster.voters().includes("node7"), 100_000);
    expect(cluster.leader().table.get(stranger.id)?.record.name).toBe("node7");
  });

  it("that comes from another address than it was invited from waits, and says why", () => {
    formed(3);
    cluster.answer(change({ kind: "add", name: "node4", address: "right.test:16379" }));
    cluster.newDisk("node4");
    cluster.timers.runUntil("a reason", () => cluster.leader().table.change?.reason !== null);
    expect(cluster.leader().table.change).toMatchObject({
      phase: "waiting",
      reason: "node4 asks to join from node4.test:16379, and was invited from right.test:16379",
    });
  });
});

describe("the feature level", () => {
  it("is not raised while one member does not support it or is out of reach, and is when it does (O13)", () => {
    cluster = new MemberCluster(3);
    const old = cluster.nodes[2];
    old.stop();
    old.node.supportedLevel = 0;
    cluster.start(old);
    cluster.timers.run(3000);
    expect(cluster.leader().table.level).toBe(0);
    const refused = cluster.answer(change({ kind: "remove", name: "node1" }));
    expect(refused).toMatchObject({ ok: false });
    expect((refused as { readonly errorText: string }).errorText).toMatch(
      /^REFUSED the cluster is at feature level 0, changes of members need 1/,
    );
    old.stop();
    cluster.timers.run(1000);
    expect(cluster.leader().table.level).toBe(0);
    old.node.supportedLevel = 1;
    cluster.start(old);
    cluster.settle();
    cluster.agree();
  });

  it("stops a node that does not know it, loudly and with the version to run (O13)", () => {
    formed(3);
    const old = cluster.nodes.find((node) => node !== cluster.leader())!;
    old.stop();
    old.node.supportedLevel = 0;
    expect(() => {
      cluster.start(old);
      cluster.timers.run(3000);
    }).toThrow(
      /the cluster is at feature level 1, this version knows levels up to 0; run version \d/,
    );
  });
});

describe("an alarm about a member", () => {
  it("is written by the leader alone, and known to all until it is over", () => {
    formed(3);
    const leader = cluster.leader();
    const other = cluster.nodes.find((node) => node !== leader)!;
    const alarm = { kind: "state", nodeId: other.id, text: "its state differs" };
    expect(other.node.replica.members.alarm(alarm)).toBe(false);
    expect(leader.node.replica.members.alarm(alarm)).toBe(true);
    cluster.timers.runUntil("known", () =>
      cluster.nodes.every(({ table }) => table.alarms().length === 1),
    );
    expect(other.node.replica.members.alarms()).toMatchObject([alarm]);
    leader.node.replica.members.alarm({ ...alarm, text: null });
    cluster.timers.runUntil("over", () =>
      cluster.nodes.every(({ table }) => table.alarms().length === 0),
    );
  });
});
