/** Raft paper, section 5.3 and figure 2 "AppendEntries": log replication. */
import { describe, expect, test } from "vitest";
import { InvariantError } from "../src/index.ts";
import { append, appendAnswer, Bench, heartbeat } from "./harness/bench.ts";
import { entriesOf, textOf } from "./harness/options.ts";

function follower(terms: readonly number[], commit = 0, term = terms.at(-1) ?? 0): Bench {
  return new Bench({ id: "a", entries: entriesOf(terms), hardState: { term, vote: null, commit } });
}

function logOf(bench: Bench, start: readonly number[]): readonly number[] {
  const terms = [...start];
  for (const entry of bench.written) {
    terms.length = entry.index - 1;
    terms.push(entry.term);
  }
  return terms;
}

describe("paper 5.3: log replication", () => {
  test("the leader appends a command and sends it to all followers", () => {
    const leader = new Bench({ id: "a" }).makeLeader().acknowledge("b").acknowledge("c").forget();
    leader.propose("cmd");
    expect(leader.take("append")).toMatchObject([
      { to: "b", term: 1, previousIndex: 1, previousTerm: 1, entries: [{ index: 2, term: 1 }] },
      { to: "c", term: 1, previousIndex: 1, previousTerm: 1, entries: [{ index: 2, term: 1 }] },
    ]);
    expect(textOf(leader.written.at(-1)?.data ?? new Uint8Array(0))).toBe("cmd");
  });

  test("proposals made together share one message per follower and one write", () => {
    const leader = new Bench({ id: "a" }).makeLeader().acknowledge("b").acknowledge("c").forget();
    for (let count = 0; count < 10; count += 1) {
      leader.core.propose(Uint8Array.of(count));
    }
    const ready = leader.core.ready();
    expect(ready.entries).toHaveLength(10);
    expect(ready.messages).toHaveLength(2);
  });

  test("the leader's appends leave before its own disk write is done", () => {
    const leader = new Bench({ id: "a" }).makeLeader().acknowledge("b").acknowledge("c").forget();
    leader.holdWrites = true;
    leader.propose();
    expect(leader.take("append")).toHaveLength(2);
  });

  test.each([
    { voters: 3, acknowledgements: ["b"], committed: true },
    { voters: 3, acknowledgements: [], committed: false },
    { voters: 5, acknowledgements: ["b"], committed: false },
    { voters: 5, acknowledgements: ["b", "c"], committed: true },
  ])("an entry is committed once a majority of $voters has it: $acknowledgements", (row) => {
    const voters = ["a", "b", "c", "d", "e"].slice(0, row.voters);
    const leader = new Bench({ id: "a", voters }).makeLeader();
    row.acknowledgements.forEach((peer) => leader.acknowledge(peer));
    expect(leader.core.commitIndex()).toBe(row.committed ? 1 : 0);
  });

  test("the leader's own copy counts only when it is on disk (R23)", () => {
    const leader = new Bench({ id: "a" }).makeLeader();
    leader.holdWrites = true;
    leader.propose();
    leader.acknowledge("b", 2);
    expect(leader.core.commitIndex()).toBe(1);
    leader.persist();
    expect(leader.core.commitIndex()).toBe(2);
  });

  test("followers that have it commit it even without the leader's disk", () => {
    const leader = new Bench({ id: "a" }).makeLeader();
    leader.holdWrites = true;
    leader.propose();
    leader.acknowledge("b", 2).acknowledge("c", 2);
    expect(leader.core.commitIndex()).toBe(2);
    expect(leader.committed.map((entry) => entry.index)).toEqual([1, 2]);
  });

  test("committed entries are handed out in log order, each once", () => {
    const leader = new Bench({ id: "a" }).makeLeader();
    leader
      .propose("1")
      .propose("2")
      .acknowledge("b")
      .propose("3")
      .acknowledge("c")
      .acknowledge("b");
    expect(leader.committed.map((entry) => entry.index)).toEqual([1, 2, 3, 4]);
  });

  test("the leader tells the commit index with its appends, and followers apply up to it", () => {
    const node = follower([]);
    node.step(append({ from: "b", to: "a", term: 1, entries: entriesOf([1, 1, 1]), commit: 2 }));
    expect(node.committed.map((entry) => entry.index)).toEqual([1, 2]);
    node.step(
      append({ from: "b", to: "a", term: 1, previousIndex: 3, previousTerm: 1, commit: 3 }),
    );
    expect(node.core.commitIndex()).toBe(3);
  });

  test("a follower commits no further than the entries the message vouches for", () => {
    const node = follower([1, 1, 1]);
    node.step(
      append({ from: "b", to: "a", term: 2, previousIndex: 1, previousTerm: 1, commit: 3 }),
    );
    expect(node.core.commitIndex()).toBe(1);
  });

  test("an append is refused when the entry before it is missing or of another term", () => {
    for (const [previousIndex, previousTerm] of [
      [3, 2],
      [2, 2],
    ] as const) {
      const node = follower([1, 1], 0, 2);
      node.step(append({ from: "b", to: "a", term: 2, previousIndex, previousTerm }));
      expect(node.take("appendResponse")).toMatchObject([
        { success: false, rejectedIndex: previousIndex },
      ]);
    }
  });

  test("an acknowledgement waits until the entries are on disk", () => {
    const node = follower([]);
    node.holdWrites = true;
    node.step(append({ from: "b", to: "a", term: 1, entries: entriesOf([1, 1]) }));
    expect(node.take("appendResponse")).toEqual([]);
    node.persist();
    expect(node.take("appendResponse")).toMatchObject([{ success: true, matchIndex: 2 }]);
  });

  test("acknowledgements to one leader are joined into the one that says most", () => {
    const node = follower([]);
    node.core.step(append({ from: "b", to: "a", term: 1, entries: entriesOf([1]) }));
    node.core.step(
      append({
        from: "b",
        to: "a",
        term: 1,
        previousIndex: 1,
        previousTerm: 1,
        entries: entriesOf([1], 2),
      }),
    );
    node.core.step(append({ from: "b", to: "a", term: 1, entries: entriesOf([1]) }));
    expect(node.core.ready().messagesAfterPersist).toMatchObject([{ matchIndex: 2 }]);
  });

  // Figure 7: what the followers (a) to (f) hold when a leader of term 8 begins.
  const leaderTerms = [1, 1, 1, 4, 4, 5, 5, 6, 6, 6];
  test.each([
    { name: "a", terms: [1, 1, 1, 4, 4, 5, 5, 6, 6] },
    { name: "b", terms: [1, 1, 1, 4] },
    { name: "c", terms: [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6] },
    { name: "d", terms: [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7] },
    { name: "e", terms: [1, 1, 1, 4, 4, 4, 4] },
    { name: "f", terms: [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3] },
  ])("the leader brings the log of figure 7 ($name) to agree with its own", ({ terms }) => {
    const leader = new Bench({
      id: "b",
      entries: entriesOf(leaderTerms),
      hardState: { term: 7, vote: null, commit: 0 },
      limits: { appendBytesMax: 4096 },
    }).makeLeader();
    const node = follower(terms, 0, 7);
    for (let round = 0; round < 12; round += 1) {
      node.step(...leader.take("append").filter((message) => message.to === "a"));
      leader.step(...node.take("appendResponse"));
    }
    expect(logOf(node, terms)).toEqual([...leaderTerms, 8]);
    expect(leader.core.status().progress.get("a")?.matchIndex).toBe(11);
  });

  test("a refusal skips a whole run of conflicting terms (end of 5.3)", () => {
    const node = follower([1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3], 0, 7);
    node.step(append({ from: "b", to: "a", term: 8, previousIndex: 10, previousTerm: 6 }));
    expect(node.take("appendResponse")).toMatchObject([{ hintIndex: 10, hintTerm: 3 }]);
    const leader = new Bench({
      id: "b",
      entries: entriesOf(leaderTerms),
      hardState: { term: 7, vote: null, commit: 0 },
    }).makeLeader();
    leader.forget();
    leader.step(
      appendAnswer({
        from: "a",
        to: "b",
        term: 8,
        success: false,
        rejectedIndex: 10,
        hintIndex: 10,
        hintTerm: 3,
      }),
    );
    // Nothing of the leader's log behind index 3 has a term of 3 or less.
    expect(leader.take("append")).toMatchObject([{ previousIndex: 3, previousTerm: 1 }]);
  });

  test("entries that agree are kept: a late, shorter append does not cut the log", () => {
    const node = follower([]);
    node.step(append({ from: "b", to: "a", term: 1, entries: entriesOf([1, 1, 1]) }));
    node.step(append({ from: "b", to: "a", term: 1, entries: entriesOf([1]) }));
    expect(node.core.lastIndex()).toBe(3);
  });

  test("entries that conflict are removed with all that follow them", () => {
    const node = follower([1, 2, 2, 2]);
    node.step(
      append({
        from: "b",
        to: "a",
        term: 3,
        previousIndex: 1,
        previousTerm: 1,
        entries: entriesOf([3], 2),
      }),
    );
    expect(logOf(node, [1, 2, 2, 2])).toEqual([1, 3]);
  });

  test("an append that begins below the commit index is answered with the commit index", () => {
    const node = follower([1, 1, 1], 3, 1);
    node.step(append({ from: "b", to: "a", term: 1, previousIndex: 1, previousTerm: 1 }));
    expect(node.take("appendResponse")).toMatchObject([{ success: true, matchIndex: 3 }]);
  });

  test("R13: a leader that contradicts a committed entry stops the node instead of being believed", () => {
    for (const previousIndex of [1, 2]) {
      const node = follower([1, 1, 1], 2, 1);
      const contradiction = append({ from: "b", to: "a", term: 2, previousIndex, previousTerm: 2 });
      expect(() => node.core.step(contradiction)).toThrow(/committedEntryContradicted/);
      expect(node.core.lastIndex()).toBe(3);
    }
  });

  test("R13: an append that conflicts behind the commit index after a restart is an ordinary conflict", () => {
    const node = follower([1, 1, 1], 1, 1);
    node.step(
      append({
        from: "b",
        to: "a",
        term: 2,
        previousIndex: 2,
        previousTerm: 1,
        entries: entriesOf([2], 3),
      }),
    );
    expect(logOf(node, [1, 1, 1])).toEqual([1, 1, 2]);
  });

  test("a heartbeat that commits what this node does not have proves that it lost acknowledged entries", () => {
    const node = follower([1, 1, 1], 0, 1);
    const beat = heartbeat({ from: "b", to: "a", term: 1, commit: 4 });
    expect(() => node.core.step(beat)).toThrow(InvariantError);
  });

  test("a leader never overwrites its own entries, and two leaders of one term stop the node", () => {
    const leader = new Bench({ id: "a" }).makeLeader();
    expect(() =>
      leader.core.step(append({ from: "b", to: "a", term: 1, entries: entriesOf([1, 1]) })),
    ).toThrow(/twoLeadersInTerm/);
  });

  test("if a follower is slow the leader keeps trying, and applying does not wait for it", () => {
    const leader = new Bench({ id: "a" }).makeLeader().acknowledge("b");
    expect(leader.committed).toHaveLength(1);
    leader.forget();
    for (const readRound of [0, 0]) {
      leader.step({ kind: "heartbeatResponse", from: "c", to: "a", term: 1, readRound });
    }
    expect(leader.take("append")).toMatchObject([{ to: "c", previousIndex: 0 }]);
  });
});
