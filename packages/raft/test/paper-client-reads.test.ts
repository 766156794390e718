/** Raft paper, section 8, and thesis, section 6.4: reads that need no log entry (ReadIndex). */
import { describe, expect, test } from "vitest";
import { append, appendAnswer, Bench, heartbeat, heartbeatAnswer } from "./harness/bench.ts";
import { ELECTION_TICKS, entriesOf } from "./harness/options.ts";

function leaderWithCommit(): Bench {
  const leader = new Bench({ id: "a" }).makeLeader().acknowledge("b").forget();
  expect(leader.core.commitIndex()).toBe(1);
  return leader;
}

describe("thesis 6.4: ReadIndex at the leader", () => {
  test("R04: a new leader answers no read before an entry of its own term is committed", () => {
    const hardState = { term: 1, vote: null, commit: 1 };
    const leader = new Bench({ id: "a", entries: entriesOf([1, 1]), hardState }).makeLeader();
    leader.core.readIndex(7);
    leader.drain().step(heartbeatAnswer({ from: "b", to: "a", term: 2, readRound: 99 }));
    expect(leader.reads).toEqual([]);
    leader.acknowledge("b");
    const round = leader.take("heartbeat").at(-1)?.readRound ?? 0;
    expect(leader.reads).toEqual([]);
    leader.step(heartbeatAnswer({ from: "b", to: "a", term: 2, readRound: round }));
    expect(leader.reads).toEqual([{ requestId: 7, index: 3 }]);
  });

  test("R54: a read waits until a quorum has answered a heartbeat sent after it", () => {
    const leader = leaderWithCommit();
    leader.core.readIndex(1);
    leader.drain();
    const [beat] = leader.take("heartbeat");
    expect(beat?.readRound).toBe(1);
    expect(leader.reads).toEqual([]);
    leader.step(heartbeatAnswer({ from: "b", to: "a", term: 1, readRound: 0 }));
    expect(leader.reads).toEqual([]);
    leader.step(heartbeatAnswer({ from: "b", to: "a", term: 1, readRound: 1 }));
    expect(leader.reads).toEqual([{ requestId: 1, index: 1 }]);
  });

  test("five voters need two answers besides the leader's own", () => {
    const voters = ["a", "b", "c", "d", "e"];
    const leader = new Bench({ id: "a", voters }).makeLeader().acknowledge("b").acknowledge("c");
    leader.core.readIndex(1);
    leader.drain();
    const answer = (from: string): void => {
      leader.step(heartbeatAnswer({ from, to: "a", term: 1, readRound: 1 }));
    };
    answer("b");
    answer("b");
    expect(leader.reads).toEqual([]);
    answer("e");
    expect(leader.reads).toHaveLength(1);
  });

  test("the answer of a learner does not count", () => {
    const leader = new Bench({ id: "a", voters: ["a", "b", "c"], learners: ["d"] }).makeLeader();
    leader.acknowledge("b");
    leader.core.readIndex(1);
    leader.drain().step(heartbeatAnswer({ from: "d", to: "a", term: 1, readRound: 1 }));
    expect(leader.reads).toEqual([]);
  });

  test("requests that come together share one round; a later answer confirms earlier rounds", () => {
    const leader = leaderWithCommit();
    [1, 2, 3].forEach((requestId) => leader.core.readIndex(requestId));
    leader.drain();
    expect(leader.take("heartbeat")).toHaveLength(2);
    leader.core.readIndex(4);
    leader.drain();
    leader.step(heartbeatAnswer({ from: "c", to: "a", term: 1, readRound: 2 }));
    expect(leader.reads.map((read) => read.requestId)).toEqual([1, 2, 3, 4]);
  });

  test("a lost round is asked again with the next heartbeat", () => {
    const leader = leaderWithCommit();
    leader.core.readIndex(1);
    leader.drain().forget();
    leader.tick(2);
    expect(leader.take("heartbeat").map((beat) => beat.readRound)).toEqual([1, 1]);
  });

  test("no more rounds than the limit are on their way; later requests share the next one", () => {
    const leader = leaderWithCommit();
    for (let requestId = 1; requestId <= 20; requestId += 1) {
      leader.core.readIndex(requestId);
      leader.drain();
    }
    expect(Math.max(...leader.take("heartbeat").map((beat) => beat.readRound))).toBe(8);
    leader.step(heartbeatAnswer({ from: "b", to: "a", term: 1, readRound: 8 }));
    expect(leader.reads).toHaveLength(8);
    leader.step(heartbeatAnswer({ from: "b", to: "a", term: 1, readRound: 9 }));
    expect(leader.reads).toHaveLength(20);
  });

  test("R29: leadership lost while a quorum was asked fails the read", () => {
    const leader = leaderWithCommit();
    leader.core.readIndex(1);
    leader.drain();
    leader.step(append({ from: "b", to: "a", term: 2 }));
    leader.step(heartbeatAnswer({ from: "c", to: "a", term: 1, readRound: 1 }));
    expect(leader.reads).toEqual([]);
    expect(leader.readsFailed).toEqual([1]);
  });

  test("a single voter answers at once", () => {
    const node = new Bench({ id: "a", voters: ["a"] }).tick();
    node.core.readIndex(1);
    node.drain();
    expect(node.reads).toEqual([{ requestId: 1, index: 1 }]);
  });
});

describe("thesis 6.4: ReadIndex at a follower", () => {
  function follower(): Bench {
    return new Bench({ id: "a" }).step(heartbeat({ from: "b", to: "a", term: 1 })).forget();
  }

  test("a follower asks the leader and reads at the index it names", () => {
    const node = follower();
    node.core.readIndex(5);
    node.drain();
    expect(node.take("readIndexRequest")).toMatchObject([{ to: "b", requestId: 5 }]);
    node.step({ kind: "readIndexResponse", from: "b", to: "a", term: 1, requestId: 5, index: 9 });
    expect(node.reads).toEqual([{ requestId: 5, index: 9 }]);
  });

  test("the leader confirms a follower's request like its own", () => {
    const leader = leaderWithCommit();
    leader.step({ kind: "readIndexRequest", from: "c", to: "a", term: 1, requestId: 5 });
    expect(leader.take("readIndexResponse")).toEqual([]);
    leader.step(heartbeatAnswer({ from: "b", to: "a", term: 1, readRound: 1 }));
    expect(leader.take("readIndexResponse")).toMatchObject([{ to: "c", requestId: 5, index: 1 }]);
  });

  test("without a leader it fails at once", () => {
    const node = new Bench({ id: "a" });
    node.core.readIndex(1);
    node.drain();
    expect(node.readsFailed).toEqual([1]);
  });

  test("R54: a change of leader or term fails what waits, instead of letting it wait for ever", () => {
    const node = follower();
    node.core.readIndex(1);
    node.drain().step(heartbeat({ from: "c", to: "a", term: 2 }));
    expect(node.readsFailed).toEqual([1]);
  });

  test("a lost answer fails after an election timeout", () => {
    const node = follower();
    node.core.readIndex(1);
    node.drain();
    for (let tick = 1; tick < ELECTION_TICKS; tick += 1) {
      node.tick().step(heartbeat({ from: "b", to: "a", term: 1 }));
    }
    expect(node.readsFailed).toEqual([]);
    node.tick();
    expect(node.readsFailed).toEqual([1]);
  });

  test("a leader that steps down tells those who asked", () => {
    const leader = leaderWithCommit();
    leader.step({ kind: "readIndexRequest", from: "c", to: "a", term: 1, requestId: 5 });
    leader.step(appendAnswer({ from: "b", to: "a", term: 3, success: false }));
    expect(leader.take("readIndexResponse")).toMatchObject([{ to: "c", requestId: 5, index: 0 }]);
  });

  test("a request that reaches a node which does not lead is refused", () => {
    const node = follower();
    node.step({ kind: "readIndexRequest", from: "c", to: "a", term: 1, requestId: 5 });
    expect(node.take("readIndexResponse")).toMatchObject([{ to: "c", requestId: 5, index: 0 }]);
  });
});
