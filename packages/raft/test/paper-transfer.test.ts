/** Thesis, section 3.10: leadership transfer. */
import { describe, expect, test } from "vitest";
import { append, Bench, heartbeat, heartbeatAnswer, voteAsked } from "./harness/bench.ts";
import { bytesOf, ELECTION_TICKS } from "./harness/options.ts";

function leaderOfThree(): Bench {
  return new Bench({ id: "a" }).makeLeader().acknowledge("b").acknowledge("c").forget();
}

describe("thesis 3.10: leadership transfer", () => {
  test("a target that has everything is told to campaign at once", () => {
    const leader = leaderOfThree();
    expect(leader.core.transferLeadership("c")).toBe(true);
    leader.drain();
    expect(leader.take("timeoutNow")).toMatchObject([{ to: "c", term: 1 }]);
  });

  test("a target that is behind is brought up to date first", () => {
    const leader = leaderOfThree().propose();
    leader.core.transferLeadership("c");
    leader.drain();
    expect(leader.take("timeoutNow")).toEqual([]);
    leader.acknowledge("c", 2);
    expect(leader.take("timeoutNow")).toMatchObject([{ to: "c" }]);
  });

  test("R51: proposals are refused meanwhile, so that the target can catch up", () => {
    const leader = leaderOfThree();
    leader.core.transferLeadership("c");
    expect(leader.core.propose(bytesOf("x"))).toEqual({
      accepted: false,
      reason: "transferring",
      leader: "a",
    });
  });

  test("it is given up after an election timeout, and the leader goes on", () => {
    const leader = leaderOfThree();
    leader.core.transferLeadership("c");
    for (let tick = 0; tick < ELECTION_TICKS; tick += 1) {
      leader.step(heartbeatAnswer({ from: "b", to: "a", term: 1 })).tick();
    }
    expect(leader.core.status()).toMatchObject({ role: "leader", transferTarget: null });
    expect(leader.core.propose(bytesOf("x")).accepted).toBe(true);
  });

  test("without a target the most caught-up active voter is chosen", () => {
    const leader = new Bench({ id: "a", voters: ["a", "b", "c"], learners: ["d"] }).makeLeader();
    leader.acknowledge("b").acknowledge("c").acknowledge("d").propose().acknowledge("c", 2);
    leader.acknowledge("d", 2);
    expect(leader.core.transferLeadership()).toBe(true);
    expect(leader.core.status().transferTarget).toBe("c");
  });

  test.each(["a", "d", "nobody"])("it is refused for %s, who can not take over", (target) => {
    const leader = new Bench({ id: "a", voters: ["a", "b", "c"], learners: ["d"] }).makeLeader();
    leader.acknowledge("d");
    expect(leader.core.transferLeadership(target)).toBe(false);
    expect(leader.core.status().transferTarget).toBeNull();
  });

  test("a lone voter has nobody to hand over to, and a follower nothing", () => {
    expect(new Bench({ id: "a", voters: ["a"] }).tick().core.transferLeadership()).toBe(false);
    expect(new Bench({ id: "a" }).core.transferLeadership()).toBe(false);
  });

  test("a lost TimeoutNow is sent again when the target shows itself", () => {
    const leader = leaderOfThree();
    leader.core.transferLeadership("c");
    leader.drain().forget();
    leader.step(heartbeatAnswer({ from: "c", to: "a", term: 1 }));
    expect(leader.take("timeoutNow")).toHaveLength(1);
  });

  test("the target skips the pre-vote, and voters do not let loyalty stand in the way", () => {
    const target = new Bench({ id: "c" }).step(heartbeat({ from: "a", to: "c", term: 1 })).forget();
    target.step({ kind: "timeoutNow", from: "a", to: "c", term: 1 });
    const requests = target.take("voteRequest");
    expect(requests).toMatchObject([
      { transfer: true, term: 2 },
      { transfer: true, term: 2 },
    ]);
    const voter = new Bench({ id: "b" }).step(heartbeat({ from: "a", to: "b", term: 1 })).forget();
    voter.step(...requests.filter((request) => request.to === "b"));
    expect(voter.take("voteResponse")).toMatchObject([{ granted: true, term: 2 }]);
  });

  test("R51: a learner that is told to campaign does not", () => {
    const learner = new Bench({ id: "d", voters: ["a", "b", "c"], learners: ["d"] });
    learner.step(append({ from: "a", to: "d", term: 1 }));
    learner.step({ kind: "timeoutNow", from: "a", to: "d", term: 1 });
    expect(learner.core.role()).toBe("learner");
    expect(learner.take("voteRequest")).toEqual([]);
  });

  test("a leader that steps down by order asks its best follower to take over", () => {
    const leader = leaderOfThree().propose().acknowledge("c", 2);
    leader.core.stepDown();
    leader.drain();
    expect(leader.core.status()).toMatchObject({ role: "follower", leader: null, term: 1 });
    expect(leader.take("timeoutNow")).toMatchObject([{ to: "c" }]);
    leader.core.stepDown();
    expect(leader.core.hasReady()).toBe(false);
  });
});

describe("thesis 4.2.3: disruptive servers", () => {
  test("a node that heard a live leader neither votes nor takes the term of a candidate", () => {
    const voter = new Bench({ id: "a" }).step(heartbeat({ from: "b", to: "a", term: 1 })).forget();
    voter.tick(ELECTION_TICKS - 1);
    voter.step(voteAsked({ from: "c", to: "a", term: 9 }));
    expect(voter.take("voteResponse")).toEqual([]);
    expect(voter.core.term()).toBe(1);
    voter.step(voteAsked({ kind: "preVoteRequest", from: "c", to: "a", term: 9 }));
    expect(voter.take("preVoteResponse")).toMatchObject([{ granted: false }]);
    voter.tick(1).forget();
    voter.step(voteAsked({ from: "c", to: "a", term: 9 }));
    expect(voter.take("voteResponse")).toMatchObject([{ granted: true, term: 9 }]);
  });

  test("a leader is not deposed by a candidate that its followers do not want", () => {
    const leader = leaderOfThree();
    leader.step(voteAsked({ from: "c", to: "a", term: 9, lastIndex: 99, lastTerm: 9 }));
    expect(leader.core.status()).toMatchObject({ role: "leader", term: 1 });
  });

  test("R55: an isolated leader steps down within an election timeout (check-quorum)", () => {
    const leader = leaderOfThree();
    leader.tick(ELECTION_TICKS - 1);
    expect(leader.core.role()).toBe("leader");
    leader.tick(1);
    expect(leader.core.status()).toMatchObject({ role: "follower", leader: null, term: 1 });
    expect(leader.core.propose(bytesOf("x"))).toMatchObject({
      accepted: false,
      reason: "notLeader",
    });
  });

  test("a leader that hears a bare majority stays; a learner's voice does not count", () => {
    const voters = ["a", "b", "c", "d", "e"];
    const leader = new Bench({ id: "a", voters, learners: ["x"] }).makeLeader();
    for (let tick = 0; tick < 3 * ELECTION_TICKS; tick += 1) {
      leader.step(heartbeatAnswer({ from: "b", to: "a", term: 1 }));
      leader.step(heartbeatAnswer({ from: "c", to: "a", term: 1 })).tick();
    }
    expect(leader.core.role()).toBe("leader");
    for (let tick = 0; tick < ELECTION_TICKS; tick += 1) {
      leader.step(heartbeatAnswer({ from: "b", to: "a", term: 1 }));
      leader.step(heartbeatAnswer({ from: "x", to: "a", term: 1 })).tick();
    }
    expect(leader.core.role()).toBe("follower");
  });

  test("a broken link to the leader ends loyalty and starts an election within a few ticks", () => {
    for (let seed = 0; seed < 30; seed += 1) {
      const node = new Bench({ id: "a", seed }).step(heartbeat({ from: "b", to: "a", term: 1 }));
      node.forget().core.peerUnreachable("c");
      node.tick(4);
      expect(node.core.status()).toMatchObject({ role: "follower", leader: "b" });
      node.core.peerUnreachable("b");
      node.drain();
      expect(node.core.leader()).toBeNull();
      node.tick(4);
      expect(node.core.role()).toBe("preCandidate");
    }
  });

  test("a leader that is heard again after a broken link is followed as before", () => {
    const node = new Bench({ id: "a" }).step(heartbeat({ from: "b", to: "a", term: 1 }));
    node.core.peerUnreachable("b");
    node.drain().step(heartbeat({ from: "b", to: "a", term: 1 }));
    node.tick(ELECTION_TICKS - 1);
    expect(node.core.status()).toMatchObject({ role: "follower", leader: "b", term: 1 });
  });
});
