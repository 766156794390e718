/** Raft paper, figure 2 "rules for servers" and section 5.1: terms and offices. */
import { describe, expect, test } from "vitest";
import { append, appendAnswer, Bench, heartbeat, vote, voteAsked } from "./harness/bench.ts";
import { entriesOf } from "./harness/options.ts";

describe("paper 5.1: terms", () => {
  test("a server begins as follower", () => {
    const node = new Bench({ id: "a" });
    expect(node.core.role()).toBe("follower");
    expect(node.roleChanges).toEqual([{ role: "follower", term: 0, leader: null }]);
  });

  test.each(["follower", "candidate", "leader"] as const)(
    "a %s that sees a larger term takes it and becomes a follower",
    (role) => {
      const node = new Bench({ id: "a" });
      if (role === "leader") {
        node.makeLeader();
      } else if (role === "candidate") {
        node.tickUntilCampaign();
        node.step(vote({ kind: "preVoteResponse", from: "b", to: "a", term: 1 }));
      }
      expect(node.core.role()).toBe(role);
      node.step(append({ from: "b", to: "a", term: 9 }));
      expect(node.core.role()).toBe("follower");
      expect(node.core.term()).toBe(9);
      expect(node.core.leader()).toBe("b");
    },
  );

  test("the new term is on disk before anything is acknowledged in it", () => {
    const node = new Bench({ id: "a" });
    node.holdWrites = true;
    node.step(append({ from: "b", to: "a", term: 3, entries: entriesOf([3]) }));
    expect(node.take("appendResponse")).toEqual([]);
    node.persist();
    expect(node.hardStates.at(-1)).toMatchObject({ term: 3, vote: null });
    expect(node.take("appendResponse")).toMatchObject([{ success: true, matchIndex: 1 }]);
  });

  test("a request with an outdated term is refused with the current one", () => {
    const node = new Bench({ id: "a", hardState: { term: 5, vote: null, commit: 0 } });
    node.step(
      append({ from: "b", to: "a", term: 4 }),
      heartbeat({ from: "b", to: "a", term: 4 }),
      voteAsked({ from: "c", to: "a", term: 4 }),
    );
    expect(node.take("appendResponse")).toMatchObject([
      { term: 5, success: false },
      { term: 5, success: false },
    ]);
    expect(node.take("voteResponse")).toMatchObject([{ term: 5, granted: false }]);
    expect(node.core.leader()).toBeNull();
  });

  test("a leader that is told of a larger term by an answer steps down", () => {
    const leader = new Bench({ id: "a" }).makeLeader();
    leader.step(appendAnswer({ from: "b", to: "a", term: 4, success: false }));
    expect(leader.core.role()).toBe("follower");
    expect(leader.core.term()).toBe(4);
  });

  test("an answer of an outdated term changes nothing", () => {
    const leader = new Bench({ id: "a", hardState: { term: 4, vote: null, commit: 0 } });
    leader.makeLeader();
    leader.step(appendAnswer({ from: "b", to: "a", term: 4, matchIndex: 1 }));
    expect(leader.core.commitIndex()).toBe(0);
  });

  test("the term survives a restart and never goes back (R17: messages before anything else)", () => {
    const node = new Bench({ id: "a", hardState: { term: 7, vote: "b", commit: 0 } });
    node.step(vote({ from: "c", to: "a", term: 6 }), append({ from: "c", to: "a", term: 6 }));
    expect(node.core.term()).toBe(7);
    expect(node.core.status().vote).toBe("b");
  });

  test("a message addressed to another node is not acted on", () => {
    const node = new Bench({ id: "a" });
    node.step(append({ from: "b", to: "c", term: 9 }));
    expect(node.core.term()).toBe(0);
  });
});
