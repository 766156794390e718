/** The rules of figures 2 and 13 of the paper, and sentences of its sections 6 and 7, that no other file has a test for. */
import { describe, expect, test } from "vitest";
import { encodeConfiguration, enterJoint, EntryKind } from "../src/index.ts";
import {
  append,
  appendAnswer,
  Bench,
  chunk,
  heartbeat,
  heartbeatAnswer,
  vote,
  voteAsked,
} from "./harness/bench.ts";
import { bytesOf, ELECTION_TICKS, entriesOf, simpleConfiguration } from "./harness/options.ts";

const OLD = simpleConfiguration(["a", "b", "c"]);

describe("figure 2, state", () => {
  test("on first start: term 0, no vote, commit index 0, nothing applied", () => {
    const node = new Bench({ id: "a" });
    expect(node.core.status()).toMatchObject({
      term: 0,
      vote: null,
      commitIndex: 0,
      appliedIndex: 0,
    });
  });

  test("a new leader assumes that all have its whole log, and knows of nothing that they have", () => {
    const leader = new Bench({ id: "a", entries: entriesOf([1, 1, 1]) }).makeLeader();
    for (const peer of ["b", "c"]) {
      expect(leader.core.status().progress.get(peer)).toMatchObject({
        nextIndex: 4,
        matchIndex: 0,
      });
    }
  });

  test("state of an earlier leadership is gone: it is reinitialised after an election", () => {
    const leader = new Bench({ id: "a" }).makeLeader().acknowledge("b").acknowledge("c");
    leader.step(heartbeat({ from: "b", to: "a", term: 2 })).tick(3 * ELECTION_TICKS);
    leader.makeLeader();
    expect(leader.core.status().progress.get("b")?.matchIndex).toBe(0);
  });

  test("commit index and applied index only grow", () => {
    const node = new Bench({ id: "a" });
    node.step(append({ from: "b", to: "a", term: 1, entries: entriesOf([1, 1, 1]), commit: 3 }));
    node.step(
      append({ from: "b", to: "a", term: 1, previousIndex: 3, previousTerm: 1, commit: 1 }),
    );
    node.step(heartbeat({ from: "b", to: "a", term: 1, commit: 2 }));
    expect(node.core.status()).toMatchObject({ commitIndex: 3, appliedIndex: 3 });
  });
});

describe("figure 2, rules for servers", () => {
  test("upon election the leader sends an append to each server at once, before any heartbeat is due", () => {
    const leader = new Bench({ id: "a" }).makeLeader();
    expect(leader.take("append").map(({ to, term }) => `${to} ${term}`)).toEqual(["b 1", "c 1"]);
  });

  test("heartbeats repeat while nothing is proposed, so that nobody else campaigns", () => {
    const leader = new Bench({ id: "a" }).makeLeader();
    const follower = new Bench({ id: "b" });
    follower.step(...leader.take("append").filter(({ to }) => to === "b"));
    leader.step(...follower.take("appendResponse"));
    for (let tick = 0; tick < 5 * ELECTION_TICKS; tick += 1) {
      leader.forget().tick();
      follower.tick();
      for (const beat of leader.take("heartbeat").filter(({ to }) => to === "b")) {
        follower.step(beat);
        leader.step(heartbeatAnswer({ from: "b", to: "a", term: 1 }));
      }
    }
    expect(follower.core.role()).toBe("follower");
    expect(leader.core.role()).toBe("leader");
  });

  test("granting a vote puts the own election off by a whole timeout", () => {
    const node = new Bench({ id: "a" }).tick(ELECTION_TICKS - 1);
    node.step(voteAsked({ from: "b", to: "a", term: 1 }));
    node.tick(ELECTION_TICKS - 1);
    expect(node.core.role()).toBe("follower");
  });

  test("refusing one does not", () => {
    const entries = entriesOf([1, 1]);
    const usual = new Bench({ id: "a", entries });
    const asked = new Bench({ id: "a", entries });
    const ticks = (node: Bench): number => {
      let count = 0;
      while (node.core.role() === "follower") {
        node.tick();
        count += 1;
        if (count === 5 && node === asked) {
          node.step(voteAsked({ from: "b", to: "a", term: 2 }));
        }
      }
      return count;
    };
    expect(ticks(asked)).toBe(ticks(usual));
  });

  test("a conversion to candidate resets the election timer", () => {
    const node = new Bench({ id: "a" }).tickUntilCampaign();
    node.step(vote({ kind: "preVoteResponse", from: "b", to: "a", term: 1 }));
    expect(node.core.role()).toBe("candidate");
    node.tick(ELECTION_TICKS - 1);
    expect(node.core.role()).toBe("candidate");
  });

  test("an append that succeeds moves nextIndex and matchIndex, one that fails moves nextIndex back and is retried", () => {
    const leader = new Bench({ id: "a", entries: entriesOf([1, 1, 1]) }).makeLeader().forget();
    const ends = { from: "b", to: "a", term: 2 } as const;
    leader.step(
      appendAnswer({ ...ends, success: false, rejectedIndex: 3, hintIndex: 1, hintTerm: 1 }),
    );
    const [retry] = leader.take("append");
    expect(retry).toMatchObject({ to: "b", previousIndex: 1 });
    leader.step(appendAnswer({ ...ends, matchIndex: 4 }));
    expect(leader.core.status().progress.get("b")).toMatchObject({ matchIndex: 4, nextIndex: 5 });
  });

  test("a majority of matchIndex at or above N of the current term commits N: not one voter less", () => {
    const leader = new Bench({ id: "a", voters: ["a", "b", "c", "d", "e"] }).makeLeader();
    leader.propose().acknowledge("b", 2);
    expect(leader.core.commitIndex()).toBe(0);
    leader.acknowledge("c", 1);
    expect(leader.core.commitIndex()).toBe(1);
    leader.acknowledge("d", 2);
    expect(leader.core.commitIndex()).toBe(2);
  });
});

describe("section 6, joint consensus", () => {
  const TARGET = simpleConfiguration(["a", "d", "e"]);

  function joint(): Bench {
    const leader = new Bench({ id: "a" }).makeLeader().acknowledge("b").acknowledge("c").forget();
    leader.core.propose(encodeConfiguration(enterJoint(OLD, TARGET)), EntryKind.Configuration);
    return leader.drain();
  }

  test("log entries are replicated to all servers in both configurations", () => {
    const leader = joint();
    leader.acknowledge("b").acknowledge("c");
    leader.step(heartbeatAnswer({ from: "d", to: "a", term: 1 }));
    leader.step(heartbeatAnswer({ from: "e", to: "a", term: 1 }));
    const receivers = new Set(leader.take("append").map(({ to }) => to));
    expect([...receivers].toSorted()).toEqual(["b", "c", "d", "e"]);
  });

  test("any server of either configuration may serve as leader", () => {
    const configuration = enterJoint(OLD, TARGET);
    for (const id of ["b", "d"]) {
      const node = new Bench({
        id,
        snapshot: { index: 5, term: 1, configuration, sizeBytes: 0 },
        hardState: { term: 1, vote: null, commit: 5 },
      });
      expect(node.makeLeader().core.role()).toBe("leader");
    }
  });

  test("a server of neither has no say", () => {
    const leader = joint().acknowledge("b").acknowledge("c");
    leader.acknowledge("stranger").acknowledge("other");
    expect(leader.core.commitIndex()).toBe(1);
  });

  test("the new configuration alone decides once it is the simple one", () => {
    const leader = joint().acknowledge("b", 2).acknowledge("d", 2);
    expect(leader.core.status().configuration).toEqual(TARGET);
    leader.acknowledge("b", 3).acknowledge("c", 3);
    expect(leader.core.commitIndex()).toBe(2);
    leader.acknowledge("e", 3);
    expect(leader.core.commitIndex()).toBe(3);
  });
});

describe("section 7, InstallSnapshot (figure 13)", () => {
  const META = { index: 5, term: 1, configuration: OLD, sizeBytes: 3 };

  test("rule 1: a part from an outdated term is refused with the current one, and nothing is kept", () => {
    const node = new Bench({ id: "a", hardState: { term: 3, vote: null, commit: 0 } });
    node.step(chunk({ from: "b", to: "a", term: 2, meta: META, done: true, data: bytesOf("abc") }));
    expect(node.chunks).toEqual([]);
    expect(node.take("appendResponse")).toMatchObject([{ term: 3, success: false }]);
  });

  test("it is a word of the leader: it raises the term and puts elections off", () => {
    const node = new Bench({ id: "a" }).tick(ELECTION_TICKS - 1);
    node.step(chunk({ from: "b", to: "a", term: 2, meta: META, data: bytesOf("a") }));
    node.tick(ELECTION_TICKS - 1);
    expect(node.core.status()).toMatchObject({ role: "follower", term: 2, leader: "b" });
  });

  test("rule 7: the whole log is replaced when the snapshot is not in it", () => {
    const node = new Bench({ id: "a", entries: entriesOf([1, 1]) });
    node.step(chunk({ from: "b", to: "a", term: 2, meta: META, done: true, data: bytesOf("abc") }));
    node.core.snapshotInstalled(META);
    expect(node.drain().core.status()).toMatchObject({ firstIndex: 6, lastIndex: 5 });
  });
});
