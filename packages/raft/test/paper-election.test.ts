/** Raft paper, section 5.2: leader election; with pre-vote, which asks first (thesis 9.6). */
import { describe, expect, test } from "vitest";
import { append, Bench, heartbeat, vote, voteAsked } from "./harness/bench.ts";
import { ELECTION_TICKS } from "./harness/options.ts";

function candidate(voters: readonly string[] = ["a", "b", "c"]): Bench {
  const node = new Bench({ id: "a", voters });
  node.tickUntilCampaign();
  for (const request of node.take("preVoteRequest")) {
    node.step(vote({ kind: "preVoteResponse", from: request.to, to: "a", term: request.term }));
  }
  expect(node.core.role()).toBe("candidate");
  return node;
}

describe("paper 5.2: leader election", () => {
  test("a follower stays one as long as it hears from a leader", () => {
    const node = new Bench({ id: "a" });
    for (let round = 0; round < 10; round += 1) {
      node.step(heartbeat({ from: "b", to: "a", term: 1 })).tick(ELECTION_TICKS - 1);
    }
    expect(node.core.role()).toBe("follower");
  });

  test("a leader sends heartbeats to all at every heartbeat interval", () => {
    const leader = new Bench({ id: "a" }).makeLeader().forget();
    leader.tick(2);
    expect(leader.take("heartbeat").map((beat) => beat.to)).toEqual(["b", "c"]);
  });

  test("a follower that hears nothing over an election timeout begins an election", () => {
    const node = new Bench({ id: "a" });
    node.tick(ELECTION_TICKS - 1);
    expect(node.core.role()).toBe("follower");
    node.tickUntilCampaign();
    expect(node.take("preVoteRequest").map((request) => request.to)).toEqual(["b", "c"]);
  });

  test("a candidate increments its term, votes for itself and asks all others", () => {
    const node = candidate();
    expect(node.core.status()).toMatchObject({ term: 1, vote: "a" });
    expect(node.take("voteRequest")).toMatchObject([
      { to: "b", term: 1, transfer: false },
      { to: "c", term: 1, transfer: false },
    ]);
  });

  test("the candidate's own vote counts only when it is on disk", () => {
    const node = new Bench({ id: "a" });
    node.tickUntilCampaign();
    node.holdWrites = true;
    node.step(vote({ kind: "preVoteResponse", from: "b", to: "a", term: 1 }));
    node.step(vote({ from: "b", to: "a", term: 1 }));
    expect(node.core.role()).toBe("candidate");
    expect(node.take("voteRequest")).toEqual([]);
    node.persist();
    expect(node.core.role()).toBe("leader");
    expect(node.hardStates.at(-1)).toMatchObject({ term: 1, vote: "a" });
  });

  test.each([
    { voters: ["a", "b", "c"], grants: ["b"], role: "leader" },
    { voters: ["a", "b", "c"], grants: [], role: "candidate" },
    { voters: ["a", "b", "c", "d", "e"], grants: ["b", "c"], role: "leader" },
    { voters: ["a", "b", "c", "d", "e"], grants: ["b"], role: "candidate" },
    { voters: ["a", "b", "c", "d", "e"], grants: ["b", "b", "b"], role: "candidate" },
    { voters: ["a", "b", "c"], grants: ["x", "y"], role: "candidate" },
  ])("with voters $voters and votes of $grants it is a $role", ({ voters, grants, role }) => {
    const node = candidate(voters);
    grants.forEach((from) => node.step(vote({ from, to: "a", term: 1 })));
    expect(node.core.role()).toBe(role);
  });

  test("a majority of refusals ends the candidacy", () => {
    const node = candidate();
    node.step(vote({ from: "b", to: "a", term: 1, granted: false }));
    expect(node.core.role()).toBe("candidate");
    node.step(vote({ from: "c", to: "a", term: 1, granted: false }));
    expect(node.core.role()).toBe("follower");
  });

  test("each server votes for at most one candidate per term, first come first served", () => {
    const node = new Bench({ id: "a" });
    node.step(
      voteAsked({ from: "b", to: "a", term: 1 }),
      voteAsked({ from: "c", to: "a", term: 1 }),
    );
    const granted = node.take("voteResponse").map((response) => [response.to, response.granted]);
    expect(granted).toContainEqual(["b", true]);
    expect(granted).toContainEqual(["c", false]);
  });

  test("the same candidate that asks again is told the same", () => {
    const node = new Bench({ id: "a" });
    node.step(
      voteAsked({ from: "b", to: "a", term: 1 }),
      voteAsked({ from: "b", to: "a", term: 1 }),
    );
    expect(node.take("voteResponse")).toMatchObject([{ granted: true }, { granted: true }]);
  });

  test("a vote is on disk before the answer leaves, and is remembered over a restart", () => {
    const node = new Bench({ id: "a" });
    node.holdWrites = true;
    node.step(voteAsked({ from: "b", to: "a", term: 1 }));
    expect(node.take("voteResponse")).toEqual([]);
    node.persist();
    expect(node.take("voteResponse")).toMatchObject([{ granted: true }]);
    const hardState = node.hardStates.at(-1);
    expect(hardState).toMatchObject({ term: 1, vote: "b" });
    const again = new Bench({
      id: "a",
      hardState: hardState ?? { term: 0, vote: null, commit: 0 },
    });
    again.step(voteAsked({ from: "c", to: "a", term: 1 }));
    expect(again.take("voteResponse")).toMatchObject([{ granted: false }]);
  });

  test("a candidate that hears from the leader of its term follows it", () => {
    const node = candidate();
    node.step(append({ from: "b", to: "a", term: 1 }));
    expect(node.core.status()).toMatchObject({ role: "follower", term: 1, leader: "b" });
  });

  test("a candidate refuses a leader of an older term and goes on", () => {
    const node = candidate();
    node.step(append({ from: "b", to: "a", term: 0 }));
    expect(node.core.role()).toBe("candidate");
    expect(node.take("appendResponse")).toMatchObject([{ term: 1, success: false }]);
  });

  test("a candidate without an outcome begins another election after its timeout", () => {
    const node = candidate().forget();
    node.tick(2 * ELECTION_TICKS);
    for (const request of node.take("preVoteRequest")) {
      node.step(vote({ kind: "preVoteResponse", from: request.to, to: "a", term: request.term }));
    }
    expect(node.core.term()).toBe(2);
  });

  test("election timeouts are drawn from [timeout, 2 x timeout) and all of them occur", () => {
    const drawn = new Set<number>();
    for (let seed = 0; seed < 400; seed += 1) {
      const node = new Bench({ id: "a", seed });
      let ticks = 0;
      while (node.core.role() === "follower") {
        node.tick();
        ticks += 1;
      }
      drawn.add(ticks);
    }
    expect(Math.min(...drawn)).toBe(ELECTION_TICKS);
    expect(Math.max(...drawn)).toBe(2 * ELECTION_TICKS - 1);
    expect(drawn.size).toBe(ELECTION_TICKS);
  });

  test("nodes that share a seed by mistake still time out apart", () => {
    const ticksOf = (id: string): number => {
      const node = new Bench({ id, seed: 1 });
      let ticks = 0;
      while (node.core.role() === "follower") {
        node.tick();
        ticks += 1;
      }
      return ticks;
    };
    expect(new Set(["a", "b", "c"].map(ticksOf)).size).toBeGreaterThan(1);
  });

  test("a single voter elects itself on the first tick and commits when its log is on disk", () => {
    const node = new Bench({ id: "a", voters: ["a"] });
    node.holdWrites = true;
    node.tick();
    expect(node.core.role()).toBe("candidate");
    node.persist();
    expect(node.core.role()).toBe("leader");
    expect(node.core.commitIndex()).toBe(0);
    node.persist();
    expect(node.core.commitIndex()).toBe(1);
  });
});

describe("thesis 9.6: pre-vote", () => {
  test("asking changes neither term nor vote, of nobody", () => {
    const node = new Bench({ id: "a" }).tickUntilCampaign();
    expect(node.core.status()).toMatchObject({ role: "preCandidate", term: 0, vote: null });
    const voter = new Bench({ id: "b" });
    voter.step(...node.take("preVoteRequest").filter((request) => request.to === "b"));
    expect(voter.take("preVoteResponse")).toMatchObject([{ granted: true, term: 1 }]);
    expect(voter.core.status()).toMatchObject({ term: 0, vote: null });
    expect(voter.hardStates).toEqual([]);
  });

  test("a node that was cut off does not depose the leader when it is back (term unchanged)", () => {
    const lonely = new Bench({ id: "a", hardState: { term: 3, vote: null, commit: 0 } });
    lonely.tick(20 * ELECTION_TICKS);
    expect(lonely.core.term()).toBe(3);
  });

  test("it is refused to a log that is behind", () => {
    const voter = new Bench({
      id: "a",
      hardState: { term: 4, vote: null, commit: 0 },
      entries: [],
    });
    voter.step(append({ from: "b", to: "a", term: 4, entries: [] })).tick(ELECTION_TICKS);
    voter.forget();
    voter.step(voteAsked({ kind: "preVoteRequest", from: "c", to: "a", term: 4, lastIndex: 0 }));
    expect(voter.take("preVoteResponse")).toMatchObject([{ granted: false, term: 4 }]);
  });

  test("two nodes that campaign at once with equal logs do not both win", () => {
    const one = new Bench({ id: "a" }).tickUntilCampaign();
    const other = new Bench({ id: "b" }).tickUntilCampaign();
    const requestsOfOne = one.take("preVoteRequest").filter((request) => request.to === "b");
    const requestsOfOther = other.take("preVoteRequest").filter((request) => request.to === "a");
    one.step(...requestsOfOther);
    other.step(...requestsOfOne);
    expect(one.take("preVoteResponse")).toMatchObject([{ granted: false }]);
    expect(other.take("preVoteResponse")).toMatchObject([{ granted: true }]);
  });

  test("late answers to an earlier question do not count", () => {
    const node = new Bench({ id: "a", hardState: { term: 2, vote: null, commit: 0 } });
    node.tickUntilCampaign();
    node.step(vote({ kind: "preVoteResponse", from: "b", to: "a", term: 4 }));
    expect(node.core.role()).toBe("preCandidate");
    node.step(vote({ kind: "preVoteResponse", from: "b", to: "a", term: 3 }));
    expect(node.core.role()).toBe("candidate");
  });
});
