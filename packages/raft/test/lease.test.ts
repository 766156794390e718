/** Thesis, section 6.4.1: a leader that nobody can replace for a while need not ask whether it still leads. */
import { describe, expect, test } from "vitest";
import { enterJoint, encodeConfiguration, EntryKind, leaseLengthTicks } from "../src/index.ts";
import { Bench, heartbeat, heartbeatAnswer, vote, voteAsked } from "./harness/bench.ts";
import { ELECTION_TICKS, HEARTBEAT_TICKS, simpleConfiguration } from "./harness/options.ts";

/** Of a disk that was in use before. */
const USED = { term: 1, vote: null, commit: 0 };
const LENGTH = leaseLengthTicks(ELECTION_TICKS);

/** Leads term 1, has committed its first entry, and somebody reads by lease. */
function leader(): Bench {
  const bench = new Bench({ id: "a", leases: true })
    .makeLeader()
    .acknowledge("b")
    .acknowledge("c")
    .forget();
  bench.core.wantLease();
  return bench;
}

/** Ticks to the next heartbeats; `peer` answers its one, and promises. Returns the tick that was asked for. */
function promise(bench: Bench, ...peers: readonly string[]): number {
  bench.forget().tick(HEARTBEAT_TICKS);
  const beats = bench.take("heartbeat");
  const tick = beats[0]?.lease?.tick ?? 0;
  expect(tick).toBeGreaterThan(0);
  for (const from of peers) {
    bench.step(heartbeatAnswer({ from, to: "a", term: 1, leaseTick: tick }));
  }
  return tick;
}

/** Follows `b` in term 1 and has promised it not to elect anybody. */
function promised(): Bench {
  const lease = { tick: 7, promiseTicks: ELECTION_TICKS };
  return new Bench({ id: "a", leases: true }).step(
    heartbeat({ from: "b", to: "a", term: 1, lease }),
  );
}

describe("the leader's lease", () => {
  test("is shorter than the promise by a fifth for clocks and by two ticks for what lies between ticks", () => {
    expect(leaseLengthTicks(50)).toBe(38);
    expect(leaseLengthTicks(10)).toBe(6);
    expect(leaseLengthTicks(3)).toBe(0);
    expect(leaseLengthTicks(2)).toBe(0);
  });

  test("begins when a majority has promised, and counts from when it was asked for", () => {
    const bench = leader();
    expect(bench.core.leaseTicksLeft()).toBe(0);
    promise(bench, "b");
    expect(bench.core.leaseTicksLeft()).toBe(LENGTH);
    bench.tick();
    expect(bench.core.leaseTicksLeft()).toBe(LENGTH - 1);
  });

  test("counts from the sending of the heartbeat, not from its answer", () => {
    const bench = leader();
    bench.tick(HEARTBEAT_TICKS);
    const tick = bench.take("heartbeat")[0]?.lease?.tick ?? 0;
    bench.tick(3).step(heartbeatAnswer({ from: "b", to: "a", term: 1, leaseTick: tick }));
    expect(bench.core.leaseTicksLeft()).toBe(LENGTH - 3);
  });

  test("ends by itself", () => {
    const bench = leader();
    promise(bench, "b");
    bench.tick(LENGTH);
    expect(bench.core.role()).toBe("leader");
    expect(bench.core.leaseTicksLeft()).toBe(0);
  });

  test("an answer without a promise is none, nor is one to a heartbeat that is yet to be sent", () => {
    const bench = leader().tick(HEARTBEAT_TICKS);
    bench.step(heartbeatAnswer({ from: "b", to: "a", term: 1 }));
    bench.step(heartbeatAnswer({ from: "b", to: "a", term: 1, leaseTick: 1000 }));
    expect(bench.core.leaseTicksLeft()).toBe(0);
  });

  test("needs a majority of five", () => {
    const voters = ["a", "b", "c", "d", "e"];
    const bench = new Bench({ id: "a", leases: true, voters }).makeLeader();
    bench.acknowledge("b").acknowledge("c");
    bench.core.wantLease();
    promise(bench, "b");
    expect(bench.core.leaseTicksLeft()).toBe(0);
    promise(bench, "d");
    expect(bench.core.leaseTicksLeft()).toBe(LENGTH - HEARTBEAT_TICKS);
  });

  test("is not there before the first entry of the term is committed", () => {
    const bench = new Bench({ id: "a", leases: true }).makeLeader();
    bench.core.wantLease();
    promise(bench, "b", "c");
    expect(bench.core.leaseTicksLeft()).toBe(0);
    bench.acknowledge("b");
    expect(bench.core.leaseTicksLeft()).toBe(LENGTH);
  });

  test("is void from the moment at which leadership is handed over, and for the rest of the term", () => {
    const bench = leader();
    promise(bench, "b", "c");
    bench.core.transferLeadership("b");
    bench.drain();
    expect(bench.core.leaseTicksLeft()).toBe(0);
    for (let beat = 0; beat < 8; beat += 1) {
      bench.tick(HEARTBEAT_TICKS);
      bench.step(heartbeatAnswer({ from: "c", to: "a", term: 1, leaseTick: beat }));
    }
    // Given up; but the target may hear of it only now.
    expect(bench.core.status().transferTarget).toBeNull();
    expect(bench.core.leaseTicksLeft()).toBe(0);
    expect(bench.take("heartbeat").at(-1)).not.toHaveProperty("lease");
  });

  test("stays void when the handing over is called off: who was told to campaign may yet do so", () => {
    const bench = leader();
    promise(bench, "b", "c");
    bench.core.transferLeadership("b");
    expect(bench.drain().take("timeoutNow")).toHaveLength(1);
    bench.core.cancelTransfer();
    expect(bench.core.status().transferTarget).toBeNull();
    expect(bench.core.leaseTicksLeft()).toBe(0);
  });

  test("is there again when nobody had been told", () => {
    const bench = leader();
    bench.propose();
    promise(bench, "b", "c");
    bench.core.transferLeadership("b");
    bench.drain();
    bench.core.cancelTransfer();
    expect(bench.core.leaseTicksLeft()).toBeGreaterThan(0);
  });

  test("is void while it hands over to a voter that is behind, before anybody was asked to campaign", () => {
    const bench = leader();
    bench.propose();
    promise(bench, "b", "c");
    bench.core.transferLeadership("b");
    bench.drain();
    expect(bench.take("timeoutNow")).toEqual([]);
    expect(bench.core.leaseTicksLeft()).toBe(0);
  });

  test("is void while its own change of the configuration is not committed", () => {
    const bench = leader();
    promise(bench, "b", "c");
    const target = simpleConfiguration(["a", "b", "d"]);
    const joint = enterJoint(bench.core.status().configuration, target);
    bench.core.propose(encodeConfiguration(joint), EntryKind.Configuration);
    bench.drain();
    expect(bench.core.leaseTicksLeft()).toBe(0);
  });

  test("also while that is a change of one voter", () => {
    const bench = leader();
    promise(bench, "b", "c");
    const target = simpleConfiguration(["a", "b"]);
    bench.core.propose(encodeConfiguration(target), EntryKind.Configuration);
    bench.drain();
    expect(bench.core.leaseTicksLeft()).toBe(0);
    bench.acknowledge("b");
    expect(bench.core.leaseTicksLeft()).toBe(LENGTH);
  });

  test("ends with the leadership", () => {
    const bench = leader();
    promise(bench, "b", "c");
    bench.step(heartbeat({ from: "c", to: "a", term: 2 }));
    expect(bench.core.leaseTicksLeft()).toBe(0);
  });

  test("is asked for only while somebody reads by it", () => {
    const bench = new Bench({ id: "a", leases: true }).makeLeader().acknowledge("b").forget();
    bench.tick(HEARTBEAT_TICKS);
    expect(bench.take("heartbeat")[0]).not.toHaveProperty("lease");
    bench.core.wantLease();
    for (let tick = 0; tick < 40 * ELECTION_TICKS; tick += 1) {
      bench.tick().step(heartbeatAnswer({ from: "b", to: "a", term: 1 }));
    }
    expect(bench.take("heartbeat").at(-1)).not.toHaveProperty("lease");
  });

  test("a single voter always has it", () => {
    const bench = new Bench({ id: "a", leases: true, voters: ["a"] }).tick(2);
    expect(bench.core.role()).toBe("leader");
    expect(bench.core.leaseTicksLeft()).toBe(LENGTH);
    bench.tick(100);
    expect(bench.core.leaseTicksLeft()).toBe(LENGTH);
  });
});

describe("a follower's promise", () => {
  const request = voteAsked({ from: "c", to: "a", term: 2, lastIndex: 9, lastTerm: 1 });

  test("is given in the answer, and only when it was asked for", () => {
    expect(promised().take("heartbeatResponse")).toMatchObject([{ leaseTick: 7 }]);
    const other = new Bench({ id: "a", leases: true }).step(
      heartbeat({ from: "b", to: "a", term: 1 }),
    );
    expect(other.take("heartbeatResponse")[0]).not.toHaveProperty("leaseTick");
  });

  test("is not given for longer than it is quiet after a start", () => {
    const lease = { tick: 7, promiseTicks: ELECTION_TICKS + 1 };
    const node = new Bench({ id: "a", leases: true }).step(
      heartbeat({ from: "b", to: "a", term: 1, lease }),
    );
    expect(node.take("heartbeatResponse")[0]).not.toHaveProperty("leaseTick");
    node.core.peerUnreachable("b");
    node.step(request);
    expect(node.take("voteResponse")).toMatchObject([{ granted: true }]);
  });

  test("outlasts the link to the leader: it votes for nobody before it has run out", () => {
    const node = promised();
    node.core.peerUnreachable("b");
    node.tick(ELECTION_TICKS - 1).step({ ...request, kind: "preVoteRequest" }, request);
    expect(node.take("preVoteResponse")).toMatchObject([{ granted: false }]);
    expect(node.take("voteResponse")).toEqual([]);
    expect(node.core.term()).toBe(1);
    node.tick().step(request);
    expect(node.take("voteResponse")).toMatchObject([{ granted: true }]);
  });

  test("without one a vote is given at once when the link to the leader breaks", () => {
    const node = new Bench({ id: "a", leases: true }).step(
      heartbeat({ from: "b", to: "a", term: 1 }),
    );
    node.core.peerUnreachable("b");
    node.step(request);
    expect(node.take("voteResponse")).toMatchObject([{ granted: true }]);
  });

  test("binds it as well: it does not campaign early, but right after", () => {
    const node = promised();
    node.core.peerUnreachable("b");
    node.tick(ELECTION_TICKS);
    expect(node.core.role()).toBe("follower");
    node.tick(4);
    expect(node.core.role()).toBe("preCandidate");
  });

  test("outlasts the term: a message of a later one does not free the vote", () => {
    const node = promised();
    node.step(vote({ kind: "preVoteResponse", from: "c", to: "a", term: 2, granted: false }));
    expect(node.core.term()).toBe(2);
    node.step(request);
    expect(node.take("voteResponse")).toMatchObject([{ granted: false }]);
    node.tick(ELECTION_TICKS).step(request);
    expect(node.take("voteResponse")).toMatchObject([{ granted: true }]);
  });

  test("does not hold against an election that the leader itself asked for", () => {
    const node = promised();
    node.step({ ...request, transfer: true });
    expect(node.take("voteResponse")).toMatchObject([{ granted: true }]);
    const target = promised().step({ kind: "timeoutNow", from: "b", to: "a", term: 1 });
    expect(target.core.role()).toBe("candidate");
  });

  test("is kept over a restart, of which nothing else tells", () => {
    const node = new Bench({ id: "a", leases: true, hardState: USED });
    node.tick(ELECTION_TICKS - 1).step(request);
    expect(node.take("voteResponse")).toEqual([]);
    node.tick().step(request);
    expect(node.take("voteResponse")).toMatchObject([{ granted: true }]);
  });

  test("is neither given nor kept without the option", () => {
    const lease = { tick: 7, promiseTicks: ELECTION_TICKS };
    const node = new Bench({ id: "a", hardState: USED });
    node.step(heartbeat({ from: "b", to: "a", term: 1, lease }));
    expect(node.take("heartbeatResponse")[0]).not.toHaveProperty("leaseTick");
    node.core.peerUnreachable("b");
    node.step(request);
    expect(node.take("voteResponse")).toMatchObject([{ granted: true }]);
    const off = new Bench({ id: "a" }).makeLeader().acknowledge("b").forget();
    off.core.wantLease();
    off.tick(HEARTBEAT_TICKS);
    expect(off.take("heartbeat")[0]).not.toHaveProperty("lease");
  });

  test("does not keep a single voter from leading at once", () => {
    const node = new Bench({ id: "a", leases: true, voters: ["a"], hardState: USED }).tick();
    expect(node.core.role()).toBe("leader");
  });
});
