/** Raft paper, section 5.4: election restriction and commitment of earlier terms; section 8: the no-op. */
import { describe, expect, test } from "vitest";
import { EntryKind } from "../src/index.ts";
import { Bench, voteAsked } from "./harness/bench.ts";
import { entriesOf } from "./harness/options.ts";

describe("paper 5.4.1: election restriction", () => {
  test.each([
    { own: [1], last: [1, 1], granted: true },
    { own: [1], last: [2, 1], granted: true },
    { own: [1, 1], last: [1, 2], granted: true },
    { own: [1, 1], last: [1, 1], granted: false },
    { own: [2], last: [2, 1], granted: false },
    { own: [2], last: [9, 1], granted: false },
    { own: [1, 1], last: [2, 1], granted: true },
    { own: [1, 2], last: [3, 1], granted: false },
    { own: [], last: [0, 0], granted: true },
  ])("with log $own a candidate whose last entry is $last is granted: $granted", (row) => {
    const [lastIndex = 0, lastTerm = 0] = row.last;
    const hardState = { term: 2, vote: null, commit: 0 };
    const voter = new Bench({ id: "a", entries: entriesOf(row.own), hardState });
    voter.step(voteAsked({ from: "b", to: "a", term: 3, lastIndex, lastTerm }));
    expect(voter.take("voteResponse")).toMatchObject([{ granted: row.granted }]);
    voter.step(
      voteAsked({ kind: "preVoteRequest", from: "c", to: "a", term: 4, lastIndex, lastTerm }),
    );
    expect(voter.take("preVoteResponse")).toMatchObject([{ granted: row.granted }]);
  });
});

describe("paper 5.4.2: committing entries from previous terms (figure 8)", () => {
  function leaderOfTerm4(): Bench {
    const hardState = { term: 3, vote: null, commit: 0 };
    return new Bench({ id: "a", entries: entriesOf([1, 2]), hardState }).makeLeader();
  }

  test("an entry of an earlier term is not committed by counting replicas", () => {
    const leader = leaderOfTerm4();
    leader.acknowledge("b", 2).acknowledge("c", 2);
    expect(leader.core.commitIndex()).toBe(0);
  });

  test("once an entry of the current term is committed, all before it are", () => {
    const leader = leaderOfTerm4();
    leader.acknowledge("b", 3);
    expect(leader.core.commitIndex()).toBe(3);
    expect(leader.committed.map((entry) => entry.term)).toEqual([1, 2, 4]);
  });
});

describe("paper 8: the no-op of a new leader", () => {
  test("a leader begins its term by appending an empty entry of it", () => {
    const leader = new Bench({ id: "a", entries: entriesOf([1]) }).makeLeader();
    expect(leader.written).toMatchObject([{ index: 2, term: 2, kind: EntryKind.NoOp }]);
    expect(leader.written[0]?.data).toHaveLength(0);
    expect(leader.take("append")[0]).toMatchObject({ previousIndex: 1, previousTerm: 1 });
  });
});
