/**
 * A log whose end can not be read any more (R42, R58): the node keeps what its acknowledgements promised by knowing
 * where the log ended, gets the entries from the others, and is an ordinary voter again when it has them on disk.
 */
import { describe, expect, test } from "vitest";
import { EntryKind, InvariantError } from "../src/index.ts";
import { append, appendAnswer, Bench, chunk, heartbeat, vote, voteAsked } from "./harness/bench.ts";
import { bytesOf, ELECTION_TICKS, entriesOf, simpleConfiguration } from "./harness/options.ts";

/** Had 1..20 of terms up to 4, acknowledged them, and can read 1..5 of them (terms 1, 1, 2, 2, 3). */
function damaged(): Bench {
  return new Bench({
    id: "a",
    hardState: { term: 4, vote: "b", commit: 18 },
    entries: entriesOf([1, 1, 2, 2, 3]),
    floor: { index: 20, term: 4 },
  });
}

/** The same with nothing left at all: neither snapshot nor log. */
function emptied(): Bench {
  return new Bench({
    id: "a",
    hardState: { term: 4, vote: "b", commit: 18 },
    floor: { index: 20, term: 4 },
  });
}

/** The entries 6..20 that `damaged` had: three of term 3, then term 4. */
const LOST = entriesOf([3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4], 6);

describe("a log damaged behind some point, while it is behind its floor", () => {
  test("never campaigns, however long it hears nothing", () => {
    const node = damaged();
    node.tick(20 * ELECTION_TICKS);
    expect(node.core.role()).toBe("follower");
    expect(node.sent).toEqual([]);
    expect(node.core.term()).toBe(4);
  });

  test("does not campaign either when its leader asks it to, or when the link to it breaks", () => {
    const node = damaged();
    node.step(heartbeat({ from: "b", to: "a", term: 4 }));
    node.step({ kind: "timeoutNow", from: "b", to: "a", term: 4 });
    node.core.peerUnreachable("b");
    node.tick(ELECTION_TICKS * 3);
    expect(node.core.role()).toBe("follower");
    expect([...node.take("voteRequest"), ...node.take("preVoteRequest")]).toEqual([]);
  });

  test.each([
    { lastTerm: 3, lastIndex: 30, granted: false },
    { lastTerm: 4, lastIndex: 19, granted: false },
    { lastTerm: 4, lastIndex: 20, granted: true },
    { lastTerm: 5, lastIndex: 7, granted: true },
  ])(
    "votes for a log that ends at $lastIndex in term $lastTerm: $granted, as the whole log would",
    ({ lastTerm, lastIndex, granted }) => {
      for (const kind of ["preVoteRequest", "voteRequest"] as const) {
        const node = damaged();
        node.step(voteAsked({ kind, from: "c", to: "a", term: 6, lastTerm, lastIndex }));
        const answers = [...node.take("voteResponse"), ...node.take("preVoteResponse")];
        expect(answers).toMatchObject([{ granted }]);
      }
    },
  );

  test("an own log that went further counts as well: the later of both decides", () => {
    const node = new Bench({
      id: "a",
      hardState: { term: 4, vote: null, commit: 0 },
      entries: entriesOf([1, 2]),
      floor: { index: 1, term: 1 },
    });
    expect(node.core.floor()).toBeNull();
    node.step(voteAsked({ from: "c", to: "a", term: 6, lastTerm: 1, lastIndex: 9 }));
    expect(node.take("voteResponse")).toMatchObject([{ granted: false }]);
  });

  test("starts with a commit index beyond its log, and counts as committed only what it has", () => {
    const node = damaged();
    expect(node.core.commitIndex()).toBe(5);
    expect(node.core.status().floor).toEqual({ index: 20, term: 4 });
  });

  test("takes entries again, and stays behind until the last of them is on disk", () => {
    const node = damaged();
    node.holdWrites = true;
    node.step(
      append({ from: "b", to: "a", term: 4, previousIndex: 5, previousTerm: 3, entries: LOST }),
    );
    expect(node.core.lastIndex()).toBe(20);
    expect(node.core.floor()).toEqual({ index: 20, term: 4 });
    node.persist();
    expect(node.core.floor()).toBeNull();
    node.tickUntilCampaign();
  });

  test("is not whole one entry before the floor", () => {
    const node = damaged();
    const entries = LOST.slice(0, -1);
    node.step(append({ from: "b", to: "a", term: 4, previousIndex: 5, previousTerm: 3, entries }));
    expect(node.core.floor()).toEqual({ index: 20, term: 4 });
    node.tick(5 * ELECTION_TICKS);
    expect(node.core.role()).toBe("follower");
  });

  test("a later leader's shorter log makes it whole: the entries under the floor were never committed", () => {
    const node = damaged();
    const entries = entriesOf([3, 5], 6);
    node.step(append({ from: "c", to: "a", term: 5, previousIndex: 5, previousTerm: 3, entries }));
    expect(node.core.floor()).toBeNull();
    expect(node.core.lastIndex()).toBe(7);
  });

  test("a longer log of an earlier term does not", () => {
    const node = damaged();
    const entries = entriesOf(
      Array.from({ length: 25 }, () => 3),
      6,
    );
    node.step(append({ from: "c", to: "a", term: 5, previousIndex: 5, previousTerm: 3, entries }));
    expect(node.core.lastIndex()).toBe(30);
    expect(node.core.floor()).toEqual({ index: 20, term: 4 });
  });

  test("with nothing left it is made whole by a snapshot", () => {
    const node = emptied();
    const configuration = simpleConfiguration(["a", "b", "c"]);
    const meta = { index: 20, term: 4, configuration, sizeBytes: 3 };
    const data = bytesOf("abc");
    node.step(chunk({ from: "b", to: "a", term: 4, meta, done: true, data }));
    node.core.snapshotInstalled(meta);
    node.drain();
    expect(node.core.floor()).toBeNull();
  });

  test("a snapshot from before the floor is not enough", () => {
    const node = emptied();
    const configuration = simpleConfiguration(["a", "b", "c"]);
    const meta = { index: 12, term: 4, configuration, sizeBytes: 3 };
    node.step(chunk({ from: "b", to: "a", term: 4, meta, done: true, data: bytesOf("abc") }));
    node.core.snapshotInstalled(meta);
    node.drain();
    expect(node.core.floor()).toEqual({ index: 20, term: 4 });
    node.tick(5 * ELECTION_TICKS);
    expect(node.core.role()).toBe("follower");
  });

  test("a heartbeat that counts on acknowledged entries is no proof of amnesia here", () => {
    const node = damaged();
    node.step(heartbeat({ from: "b", to: "a", term: 4, commit: 19 }));
    expect(node.core.commitIndex()).toBe(5);
    expect(() =>
      new Bench({ id: "a", entries: entriesOf([1]) }).step(
        heartbeat({ from: "b", to: "a", term: 1, commit: 2 }),
      ),
    ).toThrow(InvariantError);
  });

  test.each([
    { hardState: { term: 4, vote: null, commit: 21 }, floor: { index: 20, term: 4 } },
    { hardState: { term: 3, vote: null, commit: 0 }, floor: { index: 20, term: 4 } },
  ])("a floor that contradicts the hard state stops the start: $hardState", (setup) => {
    expect(() => new Bench({ id: "a", ...setup })).toThrow(InvariantError);
  });

  test("goes on telling its disk how far the commit index once was", () => {
    const node = damaged();
    const entries = LOST.slice(0, 2);
    node.step(append({ from: "b", to: "a", term: 4, previousIndex: 5, previousTerm: 3, entries }));
    node.step(heartbeat({ from: "c", to: "a", term: 9 }));
    expect(node.hardStates.map((state) => state.commit)).toEqual([18]);
  });
});

describe("the leader of a damaged log", () => {
  function leaderWith20(): Bench {
    const leader = new Bench({ id: "b", limits: { appendBytesMax: 4096 } }).makeLeader();
    while (leader.core.lastIndex() < 20) {
      leader.propose();
    }
    return leader.acknowledge("a").forget();
  }

  function report(matchIndex: number): ReturnType<typeof appendAnswer> {
    return appendAnswer({
      from: "a",
      to: "b",
      term: 1,
      success: false,
      matchIndex,
      lowersMatch: true,
    });
  }

  test("hears of it at the next heartbeat, although it has nothing to send", () => {
    const node = damaged();
    node.step(heartbeat({ from: "b", to: "a", term: 4, commit: 18 }));
    expect(node.take("appendResponse")).toMatchObject([
      { success: false, lowersMatch: true, matchIndex: 5, rejectedIndex: 0 },
    ]);
  });

  test("lowers what it counts on and sends from there; what is committed stays", () => {
    const leader = leaderWith20();
    expect(leader.core.commitIndex()).toBe(20);
    leader.step(report(5));
    expect(leader.core.status().progress.get("a")).toMatchObject({ matchIndex: 5 });
    expect(leader.core.commitIndex()).toBe(20);
    const [probe] = leader.take("append");
    expect(probe).toMatchObject({ to: "a", previousIndex: 5 });
  });

  test("does not commit by an acknowledgement that damage took back", () => {
    const leader = leaderWith20();
    leader.holdWrites = true;
    leader.propose();
    leader.acknowledge("a", 21);
    expect(leader.core.commitIndex()).toBe(20);
    leader.step(report(5)).persist();
    expect(leader.core.commitIndex()).toBe(20);
    leader.acknowledge("c", 21);
    expect(leader.core.commitIndex()).toBe(21);
  });

  test("an acknowledgement from before the damage that comes late is corrected by the next report", () => {
    const leader = leaderWith20();
    leader.step(report(5)).acknowledge("a", 20);
    expect(leader.core.status().progress.get("a")).toMatchObject({ matchIndex: 20 });
    leader.step(report(5));
    expect(leader.core.status().progress.get("a")).toMatchObject({ matchIndex: 5 });
  });

  test("a report that says nothing new leaves the pipeline alone", () => {
    const leader = leaderWith20();
    leader.propose().forget();
    const before = leader.core.status().progress.get("a");
    leader.step(report(20));
    expect(leader.core.status().progress.get("a")).toEqual(before);
    expect(leader.take("append")).toEqual([]);
  });

  test("does not hand over to it, and a single voter with a damaged log waits for repair", () => {
    const alone = new Bench({
      id: "a",
      voters: ["a"],
      hardState: { term: 2, vote: "a", commit: 2 },
      entries: [{ index: 1, term: 1, kind: EntryKind.NoOp, data: bytesOf("") }],
      floor: { index: 3, term: 2 },
    });
    alone.tick(5 * ELECTION_TICKS);
    expect(alone.core.role()).toBe("follower");
    const leader = leaderWith20();
    leader.step(report(5)).forget();
    leader.core.transferLeadership("a");
    leader.drain();
    expect(leader.take("timeoutNow")).toEqual([]);
  });
});

test("a vote it gave before the damage still binds it", () => {
  const node = damaged();
  node.step(voteAsked({ from: "c", to: "a", term: 4, lastTerm: 4, lastIndex: 25 }));
  expect(node.take("voteResponse")).toMatchObject([{ granted: false, term: 4 }]);
  node.step(vote({ from: "c", to: "a", term: 4 }));
  expect(node.core.role()).toBe("follower");
});

describe("a floor whose index nobody could read", () => {
  function boundless(): Bench {
    const node = new Bench({
      id: "a",
      hardState: { term: 4, vote: "b", commit: 18 },
      entries: entriesOf([1, 1, 2, 2, 3]),
      floor: { index: Number.MAX_SAFE_INTEGER, term: 4 },
    });
    const ends = { from: "b", to: "a", term: 4, previousIndex: 5, previousTerm: 3 } as const;
    node.step(append({ ...ends, entries: LOST, commit: 20 }));
    node.core.applied(20);
    return node;
  }

  const asked = voteAsked({ from: "c", to: "a", term: 6, lastTerm: 4, lastIndex: 20 });

  test("is not reached in its term, however much comes: no vote for anybody of that term", () => {
    const node = boundless();
    expect(node.core.floor()).not.toBeNull();
    node.tick(ELECTION_TICKS).step(asked);
    expect(node.take("voteResponse")).toMatchObject([{ granted: false }]);
  });

  test("comes down to an entry of its term that the node proposed since its start", () => {
    const node = boundless();
    node.core.ownEntryCommitted(20);
    expect(node.core.floor()).toBeNull();
    node.tick(ELECTION_TICKS).step(asked);
    expect(node.take("voteResponse")).toMatchObject([{ granted: true }]);
  });

  test("comes down, and is reached only when that entry is on disk", () => {
    const node = boundless();
    node.holdWrites = true;
    const entries = entriesOf([4], 21);
    const ends = { from: "b", to: "a", term: 4, previousIndex: 20, previousTerm: 4 } as const;
    node.step(append({ ...ends, entries, commit: 21 }));
    node.core.ownEntryCommitted(21);
    expect(node.core.floor()).toEqual({ index: 21, term: 4 });
    node.persist();
    expect(node.core.floor()).toBeNull();
  });

  test("does not come down to an entry of an earlier term, nor up", () => {
    const node = boundless();
    node.core.ownEntryCommitted(8);
    expect(node.core.floor()).toEqual({ index: Number.MAX_SAFE_INTEGER, term: 4 });
    const known = damaged();
    const entries = LOST.slice(0, 5);
    const ends = { from: "b", to: "a", term: 4, previousIndex: 5, previousTerm: 3 } as const;
    known.step(append({ ...ends, entries, commit: 10 }));
    known.core.ownEntryCommitted(30);
    expect(known.core.floor()).toEqual({ index: 20, term: 4 });
  });
});
