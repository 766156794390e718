/** Batches, windows, recovery of lost messages, back-pressure and commit pushes. */
import { describe, expect, test } from "vitest";
import { appendAnswer, Bench, heartbeatAnswer } from "./harness/bench.ts";
import { bytesOf, entriesOf } from "./harness/options.ts";

/** A leader whose followers are in the replicate state; windows: 4 messages, 4096 bytes; 64 bytes per append. */
function leaderOfThree(limits = {}): Bench {
  const leader = new Bench({ id: "a", limits }).makeLeader();
  return leader.acknowledge("b").acknowledge("c").forget();
}

function appendsTo(leader: Bench, peer: string) {
  return leader.take("append").filter((message) => message.to === peer);
}

describe("batches and windows", () => {
  test("an append carries at most appendBytesMax bytes, but always at least one entry", () => {
    const leader = leaderOfThree();
    for (const size of [30, 30, 30, 500, 1]) {
      leader.core.propose(new Uint8Array(size));
    }
    leader.drain();
    const sizes = appendsTo(leader, "b").map((message) =>
      message.entries.map((entry) => entry.data.length),
    );
    expect(sizes).toEqual([[30, 30], [30], [500], [1]]);
  });

  test("no more than inflightMessagesMax appends are on their way; an acknowledgement frees them", () => {
    const leader = leaderOfThree();
    for (let count = 0; count < 7; count += 1) {
      leader.propose("x".repeat(60));
    }
    expect(appendsTo(leader, "b")).toHaveLength(4);
    expect(leader.core.status().progress.get("b")).toMatchObject({
      inflightMessages: 4,
      inflightBytes: 240,
      nextIndex: 6,
    });
    leader.acknowledge("b", 3);
    expect(appendsTo(leader, "b").map((message) => message.previousIndex)).toEqual([5, 6]);
  });

  test("no more than inflightBytesMax bytes are on their way, but one append always fits", () => {
    const leader = leaderOfThree({ inflightBytesMax: 100 });
    leader.propose("x".repeat(300)).propose("y");
    expect(appendsTo(leader, "b")).toHaveLength(1);
    leader.acknowledge("b", 2);
    expect(appendsTo(leader, "b")).toMatchObject([{ previousIndex: 2 }]);
  });

  test("a probe goes alone until it is answered", () => {
    const leader = new Bench({ id: "a", entries: entriesOf([1, 1]) }).makeLeader().forget();
    leader.propose().propose();
    expect(appendsTo(leader, "b")).toEqual([]);
    leader.acknowledge("b", 3);
    expect(appendsTo(leader, "b")).toMatchObject([{ previousIndex: 3, entries: [{}, {}] }]);
  });
});

describe("lost, late and repeated messages", () => {
  test("an append lost in the pipeline is sent again after one refusal", () => {
    const leader = leaderOfThree().propose("1").propose("2").propose("3").forget();
    // The first was lost: the second does not fit.
    leader.step(
      appendAnswer({
        from: "b",
        to: "a",
        term: 1,
        success: false,
        rejectedIndex: 2,
        hintIndex: 1,
        hintTerm: 1,
      }),
    );
    expect(appendsTo(leader, "b")).toMatchObject([{ previousIndex: 1, entries: [{}, {}, {}] }]);
    // The refusal of the third is late by now.
    leader.step(
      appendAnswer({
        from: "b",
        to: "a",
        term: 1,
        success: false,
        rejectedIndex: 3,
        hintIndex: 1,
        hintTerm: 1,
      }),
    );
    expect(appendsTo(leader, "b")).toEqual([]);
  });

  test("a lost tail is found by the second heartbeat without progress", () => {
    const leader = leaderOfThree().propose("1").forget();
    const answer = heartbeatAnswer({ from: "b", to: "a", term: 1 });
    leader.step(answer);
    expect(appendsTo(leader, "b")).toEqual([]);
    leader.step(answer);
    expect(appendsTo(leader, "b")).toMatchObject([{ previousIndex: 2, entries: [] }]);
  });

  test("a lost probe is sent again when the follower shows itself a second time", () => {
    const leader = new Bench({ id: "a" }).makeLeader().forget();
    leader.step(heartbeatAnswer({ from: "b", to: "a", term: 1 }));
    expect(appendsTo(leader, "b")).toEqual([]);
    leader.step(heartbeatAnswer({ from: "b", to: "a", term: 1 }));
    expect(appendsTo(leader, "b")).toMatchObject([{ previousIndex: 0 }]);
  });

  test("a broken link turns the pipeline into a probe that waits for a sign of life", () => {
    const leader = leaderOfThree().propose("1").propose("2").forget();
    leader.core.peerUnreachable("b");
    leader.drain();
    expect(leader.core.status().progress.get("b")).toMatchObject({ state: "probe", nextIndex: 2 });
    expect(appendsTo(leader, "b")).toEqual([]);
    leader.step(heartbeatAnswer({ from: "b", to: "a", term: 1 }));
    expect(appendsTo(leader, "b")).toMatchObject([{ previousIndex: 1, entries: [{}, {}] }]);
  });

  test("acknowledgements out of order or repeated never move a follower back", () => {
    const leader = leaderOfThree().propose("1").propose("2");
    leader.acknowledge("b", 3).acknowledge("b", 2).acknowledge("b", 3);
    expect(leader.core.status().progress.get("b")).toMatchObject({ matchIndex: 3, nextIndex: 4 });
    leader.step(
      appendAnswer({
        from: "b",
        to: "a",
        term: 1,
        success: false,
        rejectedIndex: 2,
        hintIndex: 1,
        hintTerm: 1,
      }),
    );
    expect(leader.core.status().progress.get("b")).toMatchObject({
      state: "replicate",
      matchIndex: 3,
    });
  });

  test("an acknowledgement of what the leader does not have stops it", () => {
    const leader = leaderOfThree();
    const wrong = appendAnswer({ from: "b", to: "a", term: 1, matchIndex: 99 });
    expect(() => leader.core.step(wrong)).toThrow(/matchBeyondLog/);
  });
});

describe("commit pushes", () => {
  test("followers that were not told get an empty append with the commit index, once", () => {
    const leader = leaderOfThree();
    leader.propose().forget().acknowledge("b");
    leader.core.pushCommit();
    leader.drain();
    const pushed = leader.take("append");
    expect(pushed).toMatchObject([
      { to: "b", entries: [], commit: 2 },
      { to: "c", entries: [], commit: 2 },
    ]);
    leader.core.pushCommit();
    leader.drain();
    expect(leader.take("append")).toEqual([]);
  });

  test("one follower can be told alone, and an append tells it by the way", () => {
    const leader = leaderOfThree();
    leader.core.pushCommit();
    leader.drain().forget();
    leader.propose().forget().acknowledge("b");
    leader.core.pushCommit("c");
    leader.core.propose(bytesOf("next"));
    leader.drain();
    const sent = leader.take("append");
    expect(sent.map((message) => [message.to, message.entries.length, message.commit])).toEqual([
      ["b", 1, 2],
      ["c", 1, 2],
    ]);
  });

  test("a follower that no append has told for two looks gets the commit index of the first", () => {
    const leader = leaderOfThree();
    leader.core.pushCommit();
    leader.core.pushOverdueCommit();
    leader.drain().forget();
    leader.propose().forget().acknowledge("b");
    leader.core.pushOverdueCommit();
    leader.drain();
    expect(leader.take("append")).toEqual([]);
    leader.core.pushOverdueCommit();
    leader.drain();
    expect(leader.take("append")).toMatchObject([
      { to: "b", entries: [], commit: 2 },
      { to: "c", entries: [], commit: 2 },
    ]);
    leader.core.pushOverdueCommit();
    leader.drain();
    expect(leader.take("append")).toEqual([]);
  });

  test("as long as appends flow nobody is pushed a commit index that is not overdue", () => {
    const leader = leaderOfThree();
    leader.core.pushCommit();
    leader.core.pushOverdueCommit();
    leader.drain().forget();
    for (let round = 0; round < 3; round += 1) {
      leader.propose();
      expect(leader.take("append").every(({ entries }) => entries.length === 1)).toBe(true);
      leader.acknowledge("b").acknowledge("c");
      leader.core.pushOverdueCommit();
      leader.drain();
      expect(leader.take("append")).toEqual([]);
    }
  });

  test("a heartbeat commits no further than the follower is known to have", () => {
    const leader = leaderOfThree().propose().acknowledge("b").forget();
    leader.tick(2);
    const commits = leader.take("heartbeat").map((beat) => [beat.to, beat.commit]);
    expect(commits).toEqual([
      ["b", 2],
      ["c", 1],
    ]);
  });
});

describe("back-pressure and memory", () => {
  test("proposals beyond uncommittedBytesMax are refused until some are committed", () => {
    const leader = leaderOfThree({ uncommittedBytesMax: 100 });
    expect(leader.core.propose(new Uint8Array(60)).accepted).toBe(true);
    expect(leader.core.propose(new Uint8Array(40)).accepted).toBe(true);
    expect(leader.core.propose(new Uint8Array(1))).toEqual({
      accepted: false,
      reason: "overloaded",
      leader: "a",
    });
    expect(leader.core.propose(new Uint8Array(0)).accepted).toBe(true);
    leader.drain().acknowledge("b", 2);
    expect(leader.core.propose(new Uint8Array(60)).accepted).toBe(true);
  });

  test("a single proposal above the limit is taken when nothing else waits", () => {
    const leader = leaderOfThree({ uncommittedBytesMax: 100 });
    expect(leader.core.propose(new Uint8Array(500)).accepted).toBe(true);
    expect(leader.core.propose(new Uint8Array(1)).accepted).toBe(false);
  });

  test("a new leader counts what earlier terms left uncommitted", () => {
    const leader = new Bench({
      id: "a",
      entries: entriesOf([1, 1, 1]),
      limits: { uncommittedBytesMax: 10 },
    }).makeLeader();
    expect(leader.core.propose(new Uint8Array(2))).toMatchObject({ reason: "overloaded" });
    leader.acknowledge("b");
    expect(leader.core.propose(new Uint8Array(2)).accepted).toBe(true);
  });

  test("compaction forgets entries and their bytes, and never more than is applied", () => {
    const leader = leaderOfThree().propose("12345").propose("6789").acknowledge("b");
    expect(leader.core.logBytes()).toBe(9);
    leader.core.compact(2);
    expect(leader.core.logBytes()).toBe(4);
    expect(leader.core.status().firstIndex).toBe(3);
    leader.core.compact(1);
    expect(leader.core.status().firstIndex).toBe(3);
    expect(() => leader.core.compact(4)).toThrow(/compactBeyondApplied/);
  });
});

describe("a follower that is slow or gone", () => {
  test("stalls nobody: the others go on, its own window stays full, and nothing piles up for it", () => {
    const leader = new Bench({ id: "a", limits: { uncommittedBytesMax: 1 << 20 } }).makeLeader();
    leader.acknowledge("b").acknowledge("c").forget();
    let toSlow = 0;
    for (let entry = 0; entry < 500; entry += 1) {
      leader.propose("x".repeat(50)).acknowledge("b");
      toSlow += leader.take("append").filter(({ to }) => to === "c").length;
    }
    expect(leader.core.commitIndex()).toBe(leader.core.lastIndex());
    expect(toSlow).toBe(4);
    expect(leader.core.status().progress.get("c")).toMatchObject({ inflightMessages: 4 });
  });

  test("while a majority is gone, what a leader takes in is bounded, and refused from there on at once", () => {
    const uncommittedBytesMax = 10_000;
    const leader = new Bench({ id: "a", limits: { uncommittedBytesMax } }).makeLeader();
    leader.acknowledge("b").acknowledge("c");
    const before = leader.core.logBytes();
    let refused = 0;
    for (let entry = 0; entry < 1000; entry += 1) {
      const result = leader.core.propose(new Uint8Array(100));
      refused += !result.accepted && result.reason === "overloaded" ? 1 : 0;
      leader.drain();
    }
    expect(leader.core.logBytes() - before).toBeLessThanOrEqual(uncommittedBytesMax);
    expect(refused).toBe(900);
    leader.acknowledge("b");
    leader.propose("again");
  });
});
