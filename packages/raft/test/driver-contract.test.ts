/** What ready.ts promises to a driver, and what the core demands of it. */
import { describe, expect, test } from "vitest";
import { committedEntriesPerReadyMax, InvariantError, RaftCore, RaftError } from "../src/index.ts";
import { append, Bench, heartbeat, voteAsked } from "./harness/bench.ts";
import { entriesOf, entryOf, optionsOf } from "./harness/options.ts";

describe("Ready", () => {
  test("there is nothing to do after everything was taken", () => {
    const core = new RaftCore(optionsOf({ id: "a" }));
    core.ready();
    expect(core.hasReady()).toBe(false);
    core.tick();
    expect(core.hasReady()).toBe(false);
  });

  test("changes of office between two Readys are told as the last of them", () => {
    const core = new RaftCore(optionsOf({ id: "a" }));
    core.step(heartbeat({ from: "b", to: "a", term: 1 }));
    core.step(heartbeat({ from: "c", to: "a", term: 2 }));
    expect(core.ready().roleChange).toEqual({ role: "follower", term: 2, leader: "c" });
    expect(core.ready().roleChange).toBeNull();
  });

  test("a new commit index alone causes no write, but travels with the next one", () => {
    const node = new Bench({ id: "a" });
    node.step(append({ from: "b", to: "a", term: 1, entries: entriesOf([1, 1]) }));
    node.hardStates = [];
    node.step(
      append({ from: "b", to: "a", term: 1, previousIndex: 2, previousTerm: 1, commit: 2 }),
    );
    expect(node.hardStates).toEqual([]);
    node.step(
      append({
        from: "b",
        to: "a",
        term: 1,
        previousIndex: 2,
        previousTerm: 1,
        entries: entriesOf([1], 3),
        commit: 2,
      }),
    );
    expect(node.hardStates).toEqual([{ term: 1, vote: null, commit: 2 }]);
  });

  test("the written commit index never passes what is durable here", () => {
    const node = new Bench({ id: "a" });
    node.step(append({ from: "b", to: "a", term: 1, entries: entriesOf([1, 1]), commit: 2 }));
    expect(node.core.commitIndex()).toBe(2);
    expect(node.hardStates.at(-1)?.commit).toBe(0);
  });

  test("a long committed log is told in several Readys", () => {
    const count = committedEntriesPerReadyMax + 10;
    const entries = entriesOf(Array<number>(count).fill(1));
    const hardState = { term: 1, vote: null, commit: count };
    const core = new RaftCore(optionsOf({ id: "a", entries, hardState }));
    expect(core.ready().committed).toHaveLength(committedEntriesPerReadyMax);
    expect(core.hasReady()).toBe(true);
    expect(core.ready().committed.map((entry) => entry.index)).toHaveLength(10);
    expect(core.hasReady()).toBe(false);
  });
});

describe("durability", () => {
  test("a write that was cut away since does not count, even when its position looks the same again", () => {
    const node = new Bench({ id: "a" });
    node.holdWrites = true;
    const from = (term: number, entries: readonly number[], first: number) =>
      append({
        from: "b",
        to: "a",
        term,
        previousIndex: first - 1,
        previousTerm: first === 1 ? 0 : 1,
        entries: entries.map((entryTerm, place) => entryOf(first + place, entryTerm)),
      });
    node.step(from(1, [1, 1, 1], 1));
    node.step({ ...from(2, [2], 3), from: "c" });
    node.step(from(3, [1], 3));
    // The first write is done; on the disk index 3 is still to be cut and written again.
    node.core.persisted({ index: 3, term: 1 });
    expect(node.core.status().durableIndex).toBe(2);
    node.core.persisted({ index: 3, term: 2 });
    expect(node.core.status().durableIndex).toBe(2);
    node.core.persisted({ index: 3, term: 1 });
    expect(node.core.status().durableIndex).toBe(3);
  });

  test("a position whose term no longer matches, or that is told twice, is ignored", () => {
    const node = new Bench({ id: "a", voters: ["a"] }).tick();
    node.holdWrites = true;
    node.propose();
    node.core.persisted({ index: 2, term: 9 });
    expect(node.core.status().durableIndex).toBe(1);
    node.core.persisted({ index: 2, term: 1 });
    node.core.persisted({ index: 2, term: 1 });
    expect(node.core.commitIndex()).toBe(2);
  });

  test("several writes may be confirmed by the last of them", () => {
    const node = new Bench({ id: "a", voters: ["a"] }).tick();
    node.holdWrites = true;
    node.propose("1").propose("2").propose("3");
    node.core.persisted({ index: 4, term: 1 });
    expect(node.core.commitIndex()).toBe(4);
  });
});

describe("restart", () => {
  test("term, vote, log and commit come back; what was committed is told again behind the snapshot", () => {
    const snapshot = {
      index: 2,
      term: 1,
      configuration: { voters: ["a", "b"], votersOutgoing: [], learners: [], learnersNext: [] },
      sizeBytes: 7,
    };
    const node = new Bench({
      id: "a",
      snapshot,
      entries: entriesOf([1, 2, 2], 3),
      hardState: { term: 3, vote: "b", commit: 4 },
    });
    expect(node.core.status()).toMatchObject({
      role: "follower",
      term: 3,
      vote: "b",
      commitIndex: 4,
      appliedIndex: 4,
      firstIndex: 3,
      lastIndex: 5,
      durableIndex: 5,
    });
    expect(node.committed.map((entry) => entry.index)).toEqual([3, 4]);
  });

  test("a commit index that lags behind the snapshot is no harm", () => {
    const snapshot = {
      index: 8,
      term: 2,
      configuration: { voters: ["a"], votersOutgoing: [], learners: [], learnersNext: [] },
      sizeBytes: 0,
    };
    const node = new Bench({ id: "a", snapshot, hardState: { term: 1, vote: "b", commit: 3 } });
    expect(node.core.status()).toMatchObject({ term: 2, vote: null, commitIndex: 8 });
  });

  test("a disk that lost committed entries, has gaps, or terms that go back is not started from", () => {
    const start = (setup: Parameters<typeof optionsOf>[0]) => () => new RaftCore(optionsOf(setup));
    expect(
      start({ id: "a", hardState: { term: 1, vote: null, commit: 2 }, entries: entriesOf([1]) }),
    ).toThrow(/restoredStateInconsistent/);
    expect(start({ id: "a", entries: [entryOf(2, 1)] })).toThrow(/logGap/);
    expect(start({ id: "a", entries: entriesOf([2, 1]) })).toThrow(/logTermBackwards/);
    expect(
      start({ id: "a", hardState: { term: 1, vote: null, commit: 0 }, entries: entriesOf([2]) }),
    ).toThrow(InvariantError);
  });

  test("a node without members waits for a leader to tell it", () => {
    const node = new Bench({ id: "a", voters: [] }).tick(100);
    expect(node.core.role()).toBe("learner");
    node.step(voteAsked({ from: "b", to: "a", term: 1 }));
    expect(node.take("voteResponse")).toMatchObject([{ granted: true }]);
  });
});

describe("what a driver must not do", () => {
  test("applying what was not told committed stops the node", () => {
    const node = new Bench({ id: "a", entries: entriesOf([1]) });
    expect(() => node.core.applied(1)).toThrow(/appliedOutOfRange/);
  });

  test("options out of range are refused by name", () => {
    const start = (limits: object) => () => new RaftCore(optionsOf({ id: "a", limits }));
    expect(start({ appendBytesMax: 0 })).toThrow(/appendBytesMax/);
    expect(start({ inflightMessagesMax: 1.5 })).toThrow(/inflightMessagesMax/);
    expect(start({ heartbeatIntervalTicks: 10 })).toThrow(RaftError);
  });
});
