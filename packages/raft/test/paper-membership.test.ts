/** Raft paper, section 6, and thesis, chapter 4: configurations. */
import { describe, expect, test } from "vitest";
import {
  decodeConfiguration,
  encodeConfiguration,
  enterJoint,
  EntryKind,
  leaveJoint,
  RaftError,
  type Configuration,
} from "../src/index.ts";
import { append, Bench, heartbeatAnswer, voteAsked, vote } from "./harness/bench.ts";
import { ELECTION_TICKS, entryOf, simpleConfiguration } from "./harness/options.ts";

const OLD = simpleConfiguration(["a", "b", "c"]);

function propose(leader: Bench, configuration: Configuration) {
  const result = leader.core.propose(encodeConfiguration(configuration), EntryKind.Configuration);
  leader.drain();
  return result;
}

function readyLeader(voters: readonly string[] = ["a", "b", "c"]): Bench {
  const leader = new Bench({ id: "a", voters }).makeLeader();
  voters.slice(1).forEach((peer) => leader.acknowledge(peer));
  return leader.forget();
}

describe("paper 6 and thesis 4: membership", () => {
  test("a server uses the latest configuration in its log, committed or not", () => {
    const leader = readyLeader();
    propose(leader, simpleConfiguration(["a", "b", "c", "d"]));
    expect(leader.core.commitIndex()).toBe(1);
    expect(leader.core.status().configuration.voters).toEqual(["a", "b", "c", "d"]);
    leader.acknowledge("b", 2);
    expect(leader.core.commitIndex()).toBe(1);
    leader.acknowledge("c", 2);
    expect(leader.core.commitIndex()).toBe(2);
  });

  test("a configuration that is cut from the log is rolled back", () => {
    const node = new Bench({ id: "a" });
    const data = encodeConfiguration(simpleConfiguration(["a", "b", "c", "d"]));
    node.step(
      append({
        from: "b",
        to: "a",
        term: 1,
        entries: [entryOf(1, 1), { index: 2, term: 1, kind: EntryKind.Configuration, data }],
      }),
    );
    expect(node.core.status().configuration.voters).toHaveLength(4);
    expect(node.core.configurationAt(1)).toEqual(OLD);
    node.step(
      append({
        from: "c",
        to: "a",
        term: 2,
        previousIndex: 1,
        previousTerm: 1,
        entries: [entryOf(2, 2)],
      }),
    );
    expect(node.core.status().configuration).toEqual(OLD);
  });

  test("no change is taken before the leader has committed an entry of its term (the 2015 bug)", () => {
    const leader = new Bench({ id: "a" }).makeLeader();
    expect(propose(leader, simpleConfiguration(["a", "b"]))).toMatchObject({
      accepted: false,
      reason: "configurationPending",
    });
  });

  test("a second change is refused while one is not committed", () => {
    const leader = readyLeader();
    expect(propose(leader, simpleConfiguration(["a", "b", "c", "d"])).accepted).toBe(true);
    expect(propose(leader, simpleConfiguration(["a", "b", "c", "d", "e"]))).toMatchObject({
      reason: "configurationPending",
    });
  });

  test("more than one voter at a time needs a joint configuration", () => {
    const leader = readyLeader();
    expect(() => propose(leader, simpleConfiguration(["a", "d", "e"]))).toThrow(RaftError);
    expect(leader.core.lastIndex()).toBe(1);
  });

  test("joint consensus: commits need both majorities, and the leader ends the joint phase itself", () => {
    const leader = readyLeader();
    const target = simpleConfiguration(["a", "d", "e"], ["b"]);
    expect(propose(leader, enterJoint(OLD, target)).accepted).toBe(true);
    leader.acknowledge("b", 2).acknowledge("c", 2);
    expect(leader.core.commitIndex()).toBe(1);
    leader.acknowledge("d", 2);
    expect(leader.core.commitIndex()).toBe(2);
    expect(leader.core.status().configuration).toEqual(target);
    expect(leader.core.lastIndex()).toBe(3);
    expect(propose(leader, OLD)).toMatchObject({ reason: "configurationPending" });
    leader.acknowledge("e", 3);
    expect(leader.core.commitIndex()).toBe(3);
  });

  test("joint consensus: an election needs both majorities", () => {
    const joint = enterJoint(OLD, simpleConfiguration(["a", "d", "e"]));
    const node = new Bench({
      id: "a",
      snapshot: { index: 5, term: 1, configuration: joint, sizeBytes: 0 },
      hardState: { term: 1, vote: null, commit: 5 },
    });
    node.tickUntilCampaign();
    expect(
      node
        .take("preVoteRequest")
        .map((request) => request.to)
        .toSorted(),
    ).toEqual(["b", "c", "d", "e"]);
    const grant = (from: string): void => {
      node.step(vote({ kind: "preVoteResponse", from, to: "a", term: 2 }));
    };
    grant("b");
    grant("c");
    expect(node.core.role()).toBe("preCandidate");
    grant("e");
    expect(node.core.role()).toBe("candidate");
  });

  test("a new leader ends the joint phase that another began", () => {
    const joint = enterJoint(OLD, simpleConfiguration(["a", "b"]));
    const data = encodeConfiguration(joint);
    const leader = new Bench({
      id: "a",
      entries: [{ index: 1, term: 1, kind: EntryKind.Configuration, data }],
    }).makeLeader();
    leader.acknowledge("b").acknowledge("c", 2);
    expect(leader.core.status().configuration).toEqual(leaveJoint(joint));
  });

  test("thesis 4.2.2: a leader that is not in the new configuration steps down once it is committed", () => {
    const leader = readyLeader();
    propose(leader, simpleConfiguration(["b", "c"]));
    leader.acknowledge("b", 2);
    expect(leader.core.role()).toBe("leader");
    leader.acknowledge("c", 2);
    expect(leader.core.role()).toBe("learner");
    expect(leader.take("append").at(-1)).toMatchObject({ commit: 2 });
    expect(leader.take("timeoutNow")).toHaveLength(1);
  });

  test("thesis 4.2.2: a leader that is leaving does not count itself", () => {
    const leader = readyLeader();
    propose(leader, simpleConfiguration(["b", "c"]));
    leader.acknowledge("b", 2);
    expect(leader.core.commitIndex()).toBe(1);
  });

  test("thesis 4.2.2: a leaving voter may campaign until its leaving is committed", () => {
    const data = encodeConfiguration(simpleConfiguration(["b", "c"]));
    const entry = { index: 1, term: 1, kind: EntryKind.Configuration, data };
    const leaving = new Bench({ id: "a", entries: [entry] });
    leaving.tickUntilCampaign();
    const left = new Bench({
      id: "a",
      entries: [entry],
      hardState: { term: 1, vote: null, commit: 1 },
    });
    left.tick(4 * ELECTION_TICKS);
    expect(left.core.role()).toBe("learner");
  });

  test("thesis 4.2.1: a learner receives the log, but does not count and does not campaign", () => {
    const leader = new Bench({ id: "a", voters: ["a", "b", "c"], learners: ["d"] }).makeLeader();
    expect(leader.take("append").map((message) => message.to)).toContain("d");
    leader.acknowledge("d");
    expect(leader.core.commitIndex()).toBe(0);
    expect(leader.core.status().progress.get("d")).toMatchObject({ learner: true, matchIndex: 1 });
    const learner = new Bench({ id: "d", voters: ["a", "b", "c"], learners: ["d"] });
    learner.tick(5 * ELECTION_TICKS);
    expect(learner.core.role()).toBe("learner");
    expect(learner.sent).toEqual([]);
  });

  test("a learner answers a vote request, as its own configuration may be the old one", () => {
    const learner = new Bench({ id: "d", voters: ["a", "b", "c"], learners: ["d"] });
    learner.step(voteAsked({ from: "a", to: "d", term: 1 }));
    expect(learner.take("voteResponse")).toMatchObject([{ granted: true }]);
  });

  test("R17: messages of and about nodes that nobody knows are harmless", () => {
    const leader = readyLeader();
    leader.step(
      heartbeatAnswer({ from: "stranger", to: "a", term: 1, readRound: 3 }),
      vote({ from: "stranger", to: "a", term: 1 }),
    );
    leader.core.snapshotAvailable("stranger", {
      index: 1,
      term: 1,
      configuration: OLD,
      sizeBytes: 1,
    });
    leader.core.snapshotUnavailable("stranger");
    leader.core.peerUnreachable("stranger");
    leader.core.pushCommit("stranger");
    expect(leader.drain().core.role()).toBe("leader");
    const fresh = new Bench({ id: "x", voters: [] });
    const data = encodeConfiguration(OLD);
    fresh.step(
      append({
        from: "b",
        to: "x",
        term: 1,
        entries: [{ index: 1, term: 1, kind: EntryKind.Configuration, data }],
      }),
    );
    expect(fresh.core.status()).toMatchObject({ role: "learner", configuration: OLD });
  });

  test("reads that waited for voters who left are answered by those who stay", () => {
    const leader = readyLeader(["a", "b"]);
    leader.core.readIndex(1);
    leader.drain();
    expect(leader.reads).toEqual([]);
    propose(leader, simpleConfiguration(["a"]));
    expect(leader.reads).toEqual([{ requestId: 1, index: 1 }]);
  });

  test("configurations survive encoding, and what they are not is refused", () => {
    const joint = enterJoint(OLD, simpleConfiguration(["a", "d"], ["b", "x"]));
    expect(decodeConfiguration(encodeConfiguration(joint))).toEqual(joint);
    const bytes = encodeConfiguration(OLD);
    expect(() => decodeConfiguration(bytes.subarray(0, bytes.length - 1))).toThrow(/ends early/);
    expect(() => decodeConfiguration(Uint8Array.of(...bytes, 0))).toThrow(/behind its end/);
    expect(() => decodeConfiguration(Uint8Array.of(9))).toThrow(/format version 9/);
    expect(() => decodeConfiguration(Uint8Array.of(1, 0, 0, 0, 0))).toThrow(/no voters/);
  });

  test.each([
    { name: "no voters", configuration: simpleConfiguration([]) },
    { name: "an id twice", configuration: simpleConfiguration(["a", "a"]) },
    { name: "voter and learner", configuration: simpleConfiguration(["a"], ["a"]) },
    { name: "a blank id", configuration: simpleConfiguration(["a b"]) },
    { name: "an empty id", configuration: simpleConfiguration([""]) },
    { name: "an id above 255 bytes", configuration: simpleConfiguration(["x".repeat(256)]) },
    {
      name: "more than 255 voters",
      configuration: simpleConfiguration(Array.from({ length: 256 }, (_, place) => `n${place}`)),
    },
    {
      name: "a future learner that is not leaving",
      configuration: { ...OLD, learnersNext: ["z"] },
    },
  ])("it refuses to encode $name", ({ configuration }) => {
    expect(() => encodeConfiguration(configuration)).toThrow(RaftError);
  });
});
