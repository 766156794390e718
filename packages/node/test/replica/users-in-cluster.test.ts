import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { UsersProposal } from "../../src/replica/access-state.ts";
import { TestCluster, type TestNode, type Pending } from "./cluster.ts";

const BOUND_MS = 3000;
const BOB: UsersProposal = { kind: "set", name: "bob", rules: ["on", "+incr", "+set", "~n"] };
const NO_BOB: UsersProposal = { kind: "delete", names: ["bob"] };

let cluster: TestCluster;

beforeEach(() => {
  cluster = new TestCluster(3, { aclMaxStalenessMs: BOUND_MS, electionTimeoutMs: 200 });
  cluster.settle();
});

afterEach(() => {
  for (const node of cluster.nodes) if (node.isUp) node.replica.stop();
});

function ended<T>(pending: Pending<T>): T {
  cluster.runUntil("an outcome", () => pending.outcome !== null);
  return pending.outcome!;
}

/** Makes bob, everywhere; his id. */
function makeBob(): number {
  expect(ended(cluster.nodes[0].propose(BOB))).toMatchObject({ ok: true, count: 1 });
  return cluster.nodes[0].replica.access.users().get("bob")!.id;
}

function counter(node: TestNode): number {
  const { keyspace } = node.replica;
  const key = Buffer.from("n");
  const ref = keyspace.find(key, 0, key.length, 0);
  if (ref === 0) return 0;
  const start = keyspace.valueStart(ref);
  const end = start + keyspace.valueLength(ref);
  return Number(Buffer.from(keyspace.valueBuffer(ref).subarray(start, end)).toString());
}

function refusals(): (string | undefined)[] {
  return cluster.nodes.map((node) => node.replica.access.credentialsRefusal()?.split(" ")[0]);
}

describe("a change of the users in a cluster", () => {
  it.each([0, 1, 2])("made on node %i is applied by all when it is answered (S09)", (at) => {
    for (let round = 0; round < 5; round++) {
      expect(ended(cluster.nodes[at].propose(BOB))).toMatchObject({ ok: true });
      expect(cluster.nodes.map((node) => node.userNames())).toEqual(
        Array.from({ length: 3 }, () => ["bob", "default"]),
      );
      expect(ended(cluster.nodes[at].propose(NO_BOB))).toMatchObject({ ok: true, count: 1 });
      expect(cluster.nodes.map((node) => node.userNames())).toEqual(
        Array.from({ length: 3 }, () => ["default"]),
      );
    }
  });

  it("is answered only when the slowest member in contact has applied it (S09)", () => {
    const leader = cluster.leader();
    const [origin, slow] = cluster.followers();
    // It acknowledges what it is sent and does not hear of commits: a member whose apply is far behind.
    const before = slow.appliedIndex;
    cluster.rewrite = (to, payload) => {
      if (to !== slow.id || payload.kind !== "raft") return payload;
      const { message } = payload;
      if (message.kind !== "append" && message.kind !== "heartbeat") return payload;
      return { kind: "raft", message: { ...message, commit: Math.min(message.commit, before) } };
    };
    const pending = origin.propose(BOB);
    cluster.run(1000);
    expect(leader.userNames()).toEqual(["bob", "default"]);
    expect([pending.outcome, slow.userNames()]).toEqual([null, ["default"]]);
    cluster.rewrite = (_to, payload) => payload;
    expect(ended(pending)).toMatchObject({ ok: true });
    expect(slow.userNames()).toEqual(["bob", "default"]);
  });

  it("is not held up by a member that is far behind and honours nothing, which then honours nothing old (S09)", () => {
    const leader = cluster.leader();
    const [origin, slow] = cluster.followers();
    makeBob();
    // It is in contact, and is sent no entries: as if it were receiving a snapshot.
    cluster.drops = (_from, to, payload) =>
      to === slow.id && payload.kind === "raft" && payload.message.kind === "append";
    ended(origin.write(0, "SET", "k", "v"));
    cluster.runUntil("refused", () => slow.replica.access.credentialsRefusal() !== null);
    expect(leader.replica.core.status().progress.get(slow.id)?.active).toBe(true);
    const startedAtMs = cluster.nowMs;
    const pending = origin.propose(NO_BOB);
    expect(ended(pending)).toMatchObject({ ok: true });
    expect(pending.endedAtMs - startedAtMs).toBeLessThan(100);
    expect(slow.userNames()).toContain("bob");
    cluster.drops = () => false;
    cluster.runUntil("honoured", () => slow.replica.access.credentialsRefusal() === null);
    expect(slow.userNames()).toEqual(["default"]);
  });

  it("is answered with the words of the rule that is wrong, at once, and changes nothing", () => {
    expect(ended(cluster.nodes[1].propose({ ...BOB, rules: ["nonsense"] }))).toEqual({
      ok: false,
      errorText: "ERR Error in ACL SETUSER modifier 'nonsense': Syntax error",
    });
    expect(cluster.nodes.map((node) => node.replica.access.users().revision)).toEqual([0, 0, 0]);
  });

  it("is answered while a member is down, and waits no longer for it than it is thought alive", () => {
    const [origin, gone] = cluster.followers();
    gone.kill();
    cluster.run(1000);
    const startedAtMs = cluster.nowMs;
    const pending = origin.propose(BOB);
    expect(ended(pending)).toMatchObject({ ok: true });
    expect(pending.endedAtMs - startedAtMs).toBeLessThan(300);
  });

  it("is applied once although everything is sent twice and answers are lost", () => {
    const [origin] = cluster.followers();
    let lost = 0;
    cluster.drops = (_from, _to, payload) =>
      (payload.kind === "settleAnswer" || payload.kind === "appliedAnswer") && lost++ < 3;
    const changes: string[] = [];
    for (const node of cluster.nodes) {
      node.replica.access.onUsersChanged((change) => void changes.push(change?.kind ?? "snapshot"));
    }
    const pending = origin.propose(BOB);
    origin.replica.onConnected(cluster.leader().id);
    cluster.run(1);
    origin.replica.onConnected(cluster.leader().id);
    expect(ended(pending)).toMatchObject({ ok: true });
    cluster.run(3000);
    expect(changes).toEqual(["set", "set", "set"]);
    expect(cluster.nodes.map((node) => node.replica.access.users().revision)).toEqual([1, 1, 1]);
    expect(lost).toBeGreaterThan(2);
  });

  it("survives the leader's death between being applied and being settled", () => {
    const [origin, other] = cluster.followers();
    const leader = cluster.leader();
    cluster.drops = (_from, _to, payload) => payload.kind === "appliedAnswer";
    const pending = origin.propose(BOB);
    cluster.runUntil("applied", () => origin.userNames().includes("bob"));
    cluster.run(50);
    expect(pending.outcome).toBeNull();
    leader.kill();
    cluster.drops = () => false;
    const killedAtMs = cluster.nowMs;
    expect(ended(pending)).toMatchObject({ ok: true });
    expect(other.userNames()).toEqual(["bob", "default"]);
    expect(pending.endedAtMs - killedAtMs).toBeLessThan(BOUND_MS);
  });

  it("is settled by the bound when nobody can say that it is (S09)", () => {
    const [origin, other] = cluster.followers();
    cluster.drops = (_from, _to, payload) => payload.kind === "appliedAnswer";
    const startedAtMs = cluster.nowMs;
    const pending = origin.propose(BOB);
    expect(ended(pending)).toMatchObject({ ok: true });
    expect(pending.endedAtMs - startedAtMs).toBeGreaterThanOrEqual(BOUND_MS);
    expect(pending.endedAtMs - startedAtMs).toBeLessThan(BOUND_MS * 1.1);
    expect(other.userNames()).toEqual(["bob", "default"]);
  });

  it("is answered as unknown when the node stops before it is settled", () => {
    const [origin] = cluster.followers();
    cluster.drops = (_from, _to, payload) => payload.kind === "appliedAnswer";
    const pending = origin.propose(BOB);
    cluster.runUntil("applied", () => origin.userNames().includes("bob"));
    origin.replica.stop();
    expect(pending.outcome).toMatchObject({
      ok: false,
      errorText: expect.stringMatching(/^UNKNOWNOUTCOME/),
    });
    expect(ended(origin.propose(NO_BOB))).toMatchObject({
      ok: false,
      errorText: expect.stringMatching(/^CLUSTERDOWN/),
    });
  });

  it("is seeded once when all nodes seed at once", () => {
    const pending = cluster.nodes.map((node, at) =>
      node.propose({
        kind: "seed",
        lines: ["user default on nopass ~* &* +@all", `user from${at} on`],
      }),
    );
    const outcomes = pending.map(ended);
    expect(outcomes.every(({ ok }) => ok)).toBe(true);
    const names = cluster.nodes.map((node) => node.userNames().join(" "));
    expect(new Set(names).size).toBe(1);
    expect(cluster.nodes[0].userNames()).toHaveLength(2);
    expect(cluster.nodes.map((node) => node.replica.access.users().revision)).toEqual([1, 1, 1]);
  });

  it("removes a user whose time is up, on all nodes, without being asked", () => {
    const atSeconds = 1_700_000_000 + Math.floor(cluster.nowMs / 1000) + 3;
    const leftMs = atSeconds * 1000 - 1_700_000_000_000 - cluster.nowMs;
    const rules = ["on", `expire-at=${atSeconds}`];
    expect(ended(cluster.nodes[2].propose({ kind: "set", name: "bob", rules })).ok).toBe(true);
    cluster.run(leftMs - 200);
    expect(cluster.nodes.map((node) => node.userNames().length)).toEqual([2, 2, 2]);
    cluster.run(500);
    expect(cluster.nodes.map((node) => node.userNames().length)).toEqual([1, 1, 1]);
  });
});

describe("writes that are in flight", () => {
  it("are not applied behind the deletion of their user, from whatever node they come (S03, S09)", () => {
    const bob = makeBob();
    const writers = cluster.followers();
    const atDeletion: number[] = [];
    for (const node of cluster.nodes) {
      node.replica.access.onUsersChanged(() => void atDeletion.push(counter(node)));
    }
    const writes: Pending<string>[] = [];
    let deletion: Pending<unknown> | null = null;
    for (let round = 0; round < 60; round++) {
      for (const node of writers) {
        // As the edge: a user that this node knows to be gone is refused there.
        const users = node.replica.access.users();
        if (users.byId(bob) !== undefined) writes.push(node.write(bob, "INCR", "n"));
      }
      if (round === 20) deletion = cluster.leader().propose(NO_BOB);
      cluster.run(0.2);
    }
    expect(ended(deletion!)).toMatchObject({ ok: true });
    const atOk = cluster.nodes.map(counter);
    for (const write of writes) ended(write);
    const denied = writes.filter(({ outcome }) => outcome!.startsWith("-NOPERM this user was"));
    expect(denied.length).toBeGreaterThan(3);
    const applied = writes.length - denied.length;
    expect(applied).toBeGreaterThan(3);
    const counts = [...atDeletion, ...atOk, ...cluster.nodes.map(counter)];
    expect(counts).toEqual(Array.from({ length: 9 }, () => applied));
  });

  it("are not inherited by a new user of the same name (S03)", () => {
    const bob = makeBob();
    const [writer] = cluster.followers();
    const leader = cluster.leader();
    // The write is held up on its way while the user is replaced.
    cluster.drops = (from, _to, payload) => from === writer.id && payload.kind === "forward";
    const late = writer.write(bob, "INCR", "n");
    cluster.run(10);
    leader.propose(NO_BOB);
    const again = leader.propose(BOB);
    cluster.runUntil("replaced", () => leader.replica.access.users().revision === 3);
    cluster.drops = () => false;
    expect(ended(late)).toMatch(/^-NOPERM this user was deleted/);
    expect(ended(again)).toMatchObject({ ok: true });
    const next = writer.replica.access.users().get("bob")!.id;
    expect(ended(writer.write(next, "INCR", "n"))).toBe(":1\r\n");
  });

  it("can not be what only nodes may write", () => {
    const { replica } = cluster.nodes[0];
    const bytes = Buffer.from("\0*3\r\n$7\r\nacl.set\r\n$3\r\neve\r\n$2\r\non\r\n");
    const client = {
      replyForWrite: () => expect.fail("it was taken"),
      writeApplied: () => expect.fail("it was applied"),
      writeFailed: () => expect.fail("it was taken"),
    };
    expect(replica.submit(bytes, 0, bytes.length, client, 0)).toMatch(/^ERR Protocol error/);
  });
});

describe("credentials", () => {
  it("are refused while a node starts, in Redis' words", () => {
    const [node] = cluster.followers();
    node.kill();
    node.start();
    expect(node.replica.access.credentialsRefusal()).toBe(
      "LOADING Redis is loading the dataset in memory",
    );
    cluster.settle();
  });

  it.each(["leader", "follower"] as const)(
    "are refused by a %s that is cut off, within the bound after a change it has missed, and honoured again when it is back (S09)",
    (role) => {
      makeBob();
      const alone = role === "leader" ? cluster.leader() : cluster.followers()[0];
      cluster.isolate(alone);
      const other = cluster.nodes.find((node) => node !== alone)!;
      cluster.runUntil("another leader", () =>
        cluster.nodes.some((node) => node !== alone && node.replica.role() === "leader"),
      );
      const deletion = other.propose(NO_BOB);
      expect(ended(deletion)).toMatchObject({ ok: true });
      const deletedAtMs = deletion.endedAtMs;
      expect(alone.userNames()).toContain("bob");
      cluster.runUntil("refused", () => alone.replica.access.credentialsRefusal() !== null);
      expect(cluster.nowMs - deletedAtMs).toBeLessThanOrEqual(BOUND_MS);
      expect(alone.replica.access.credentialsRefusal()).toMatch(
        /^CLUSTERDOWN this node has had no contact with a majority of the cluster for \d+ ms/,
      );
      cluster.run(5000);
      expect(refusals().filter((refusal) => refusal === "CLUSTERDOWN")).toHaveLength(1);
      cluster.heal();
      cluster.runUntil("honoured", () => alone.replica.access.credentialsRefusal() === null);
      // Never before it has caught up.
      expect(alone.userNames()).toEqual(["default"]);
    },
  );

  it("are refused by a member whose answers are lost, although it hears the leader (S09)", () => {
    makeBob();
    const leader = cluster.leader();
    const [deaf, other] = cluster.followers();
    cluster.cut(deaf, leader);
    cluster.cut(deaf, other);
    cluster.run(500);
    // It is sent no entries any more, only signs of life.
    cluster.drops = (_from, to, payload) =>
      to === deaf.id && payload.kind === "raft" && payload.message.kind === "append";
    expect(ended(other.propose(NO_BOB))).toMatchObject({ ok: true });
    const deletedAtMs = cluster.nowMs;
    cluster.runUntil("refused", () => deaf.replica.access.credentialsRefusal() !== null);
    expect(cluster.nowMs - deletedAtMs).toBeLessThanOrEqual(BOUND_MS);
    expect(deaf.userNames()).toContain("bob");
    cluster.run(10_000);
    expect(deaf.replica.access.credentialsRefusal()).toMatch(/^CLUSTERDOWN/);
  });

  it("are honoured through elections that take less than the bound", () => {
    const leader = cluster.leader();
    leader.kill();
    const up = cluster.nodes.filter((node) => node.isUp);
    for (let round = 0; round < 1000; round++) {
      for (const node of up) expect(node.replica.access.credentialsRefusal()).toBeNull();
      cluster.run(10);
    }
  });

  it("have a bound that can be set while the node runs", () => {
    const [alone] = cluster.followers();
    cluster.isolate(alone);
    alone.replica.access.maxStalenessMs = 400;
    cluster.run(500);
    expect(alone.replica.access.credentialsRefusal()).toMatch(/acl-max-staleness-ms/);
  });

  it("are always honoured by the only member of a cluster", () => {
    const single = new TestCluster(1, { aclMaxStalenessMs: 100 });
    single.settle();
    single.nowMs += 60_000;
    expect(single.nodes[0].replica.access.credentialsRefusal()).toBeNull();
    const pending = single.nodes[0].propose(BOB);
    single.runUntil("an outcome", () => pending.outcome !== null);
    expect(pending.outcome).toMatchObject({ ok: true });
  });
});

describe("a node that comes back", () => {
  it("has the users before it honours any credentials, from its log", () => {
    const [node] = cluster.followers();
    node.kill();
    makeBob();
    node.start();
    cluster.runUntil("honoured", () => node.replica.access.credentialsRefusal() === null);
    expect(node.userNames()).toEqual(["bob", "default"]);
  });

  it("gets the users with the leader's snapshot, and tells who listens (S09)", () => {
    cluster = new TestCluster(3, {
      aclMaxStalenessMs: BOUND_MS,
      electionTimeoutMs: 200,
      snapshotLogBytes: 2000,
      logCacheBytesMax: 1000,
    });
    cluster.settle();
    const [away, other] = cluster.followers();
    cluster.isolate(away);
    makeBobOn(other);
    for (let write = 0; write < 60; write++)
      ended(other.write(0, "SET", `k${write}`, "x".repeat(90)));
    const before = away.replica.access.users();
    const told: unknown[] = [];
    away.replica.access.onUsersChanged((change, index) => void told.push([change, index]));
    cluster.heal();
    cluster.settle();
    expect(away.userNames()).toEqual(["bob", "default"]);
    expect(away.replica.access.users()).not.toBe(before);
    expect(told[0]).toEqual([null, expect.any(Number)]);
    const hashes = cluster.nodes.map((node) => node.replica.machine.stateHash());
    expect(new Set(hashes).size).toBe(1);
  });

  function makeBobOn(node: TestNode): void {
    expect(ended(node.propose(BOB))).toMatchObject({ ok: true });
  }
});

describe("the anchors of audit trails in a cluster", () => {
  it("are known to all nodes, each under the node that brought it (S50)", () => {
    const done: boolean[] = [];
    for (const [at, node] of cluster.nodes.entries()) {
      node.replica.anchors.propose({ sequence: at, head: `head${at}` }, (applied) =>
        done.push(applied),
      );
    }
    cluster.runUntil("anchored", () => done.length === 3);
    cluster.run(100);
    expect(done).toEqual([true, true, true]);
    for (const node of cluster.nodes) {
      expect(node.replica.anchors.latest()).toEqual(
        new Map(cluster.nodes.map(({ id }, at) => [id, { sequence: at, head: `head${at}` }])),
      );
    }
  });

  it("are told apart from what is not in the log", () => {
    const [node] = cluster.nodes;
    const done: boolean[] = [];
    const propose = (sequence: number, head: string): void =>
      node.replica.anchors.propose({ sequence, head }, (applied) => done.push(applied));
    propose(5, "aa");
    propose(4, "bb");
    cluster.runUntil("answered", () => done.length === 2);
    node.replica.stop();
    propose(6, "cc");
    expect(done).toEqual([true, false, false]);
    expect(() => propose(1, "x".repeat(129))).toThrow(RangeError);
  });
});
