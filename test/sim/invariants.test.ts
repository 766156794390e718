import { EntryKind, encodeConfiguration, type Entry, type Message } from "@ferrite/raft";
import { describe, expect, it } from "vitest";
import {
  Violation,
  type EntryMark,
  type LogMirror,
  type NodeFacts,
} from "./invariants/observer.ts";
import { OneChangeAtATime } from "./invariants/one-change-at-a-time.ts";
import { VotesInBounds } from "./invariants/votes-in-bounds.ts";

const leader: NodeFacts = {
  name: "node1",
  role: "leader",
  term: 3,
  commitIndex: 4,
  appliedIndex: 4,
  lastIndex: 6,
  servesReads: true,
};

function configuration(index: number, voters: readonly string[] = ["a"]): Entry {
  const data = encodeConfiguration({
    voters: [...voters],
    votersOutgoing: [],
    learners: [],
    learnersNext: [],
  });
  return { index, term: 3, kind: EntryKind.Configuration, data };
}

function mirror(...configurationsAt: readonly number[]): LogMirror {
  const mark: EntryMark = { term: 3, kind: EntryKind.Configuration, sum: 0, previousTerm: 3 };
  return {
    marks: new Map(configurationsAt.map((index) => [index, mark])),
    lastIndex: 6,
    baseIndex: 0,
  };
}

function vote(kind: "voteRequest" | "voteResponse", more: object): Message {
  return { kind, from: "x", to: "y", term: 3, ...more } as unknown as Message;
}

const ID = (letter: string): string => `${letter.repeat(8)}-0000-4000-8000-000000000000`;

describe("one change at a time", () => {
  it("lets a leader append a configuration once the one before is committed", () => {
    const invariant = new OneChangeAtATime();
    expect(() =>
      invariant.logWritten(leader, mirror(4), [configuration(7, [ID("a")])]),
    ).not.toThrow();
  });

  it("rejects a second one before that", () => {
    const invariant = new OneChangeAtATime();
    expect(() => invariant.logWritten(leader, mirror(6), [configuration(7, [ID("a")])])).toThrow(
      Violation,
    );
    const both = [configuration(7, [ID("a")]), configuration(8, [ID("b")])];
    expect(() => invariant.logWritten(leader, mirror(), both)).toThrow(Violation);
  });

  it("has nothing to say about what a follower is sent", () => {
    const invariant = new OneChangeAtATime();
    const follower = { ...leader, role: "follower" };
    expect(() =>
      invariant.logWritten(follower, mirror(6), [configuration(7, [ID("a")])]),
    ).not.toThrow();
  });
});

describe("votes in bounds", () => {
  it("lets founders vote, and those that a configuration counts", () => {
    const invariant = new VotesInBounds([ID("a")]);
    const granted = vote("voteResponse", { granted: true });
    invariant.sent(ID("a"), ID("b"), granted, null);
    invariant.logWritten(leader, null, [configuration(7, [ID("c")])]);
    expect(() => invariant.sent(ID("c"), ID("b"), granted, null)).not.toThrow();
  });

  it("rejects a vote of a disk that no configuration has ever counted (O07)", () => {
    const invariant = new VotesInBounds([ID("a")]);
    const refused = vote("voteResponse", { granted: false });
    expect(() => invariant.sent(ID("n"), ID("a"), refused, null)).not.toThrow();
    const granted = vote("voteResponse", { granted: true });
    expect(() => invariant.sent(ID("n"), ID("a"), granted, null)).toThrow(Violation);
  });

  it("rejects a vote for a log that does not reach the voter's floor (R58)", () => {
    const invariant = new VotesInBounds([ID("a")]);
    const granted = vote("voteResponse", { granted: true });
    invariant.delivered(ID("b"), ID("a"), vote("voteRequest", { lastIndex: 9, lastTerm: 2 }));
    expect(() => invariant.sent(ID("a"), ID("b"), granted, { index: 9, term: 2 })).not.toThrow();
    expect(() => invariant.sent(ID("a"), ID("b"), granted, { index: 10, term: 2 })).toThrow(
      Violation,
    );
    expect(() => invariant.sent(ID("a"), ID("b"), granted, { index: 1, term: 3 })).toThrow(
      Violation,
    );
  });
});
