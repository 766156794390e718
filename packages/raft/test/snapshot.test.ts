/** Paper, section 7, and the rules for chunks in types.ts and ready.ts. */
import { describe, expect, test } from "vitest";
import { snapshotChunksInFlightMax, type SnapshotMeta } from "../src/index.ts";
import { append, appendAnswer, Bench, chunk, heartbeatAnswer } from "./harness/bench.ts";
import { bytesOf, ELECTION_TICKS, entriesOf, simpleConfiguration } from "./harness/options.ts";

const CONFIGURATION = simpleConfiguration(["a", "b", "c"]);

function metaAt(index: number, sizeBytes = 100): SnapshotMeta {
  return { index, term: 1, configuration: CONFIGURATION, sizeBytes };
}

/** Leads with a log that begins behind index 5, and has just learned that "c" is behind that. */
function leaderThatNeedsSnapshot(): Bench {
  const leader = new Bench({ id: "a", entries: entriesOf([1, 1, 1, 1, 1, 1]) }).makeLeader();
  leader.acknowledge("b");
  leader.core.compact(5);
  leader.forget();
  leader.step(refusal(leader));
  return leader;
}

function refusal(leader: Bench) {
  const rejectedIndex = (leader.core.status().progress.get("c")?.nextIndex ?? 0) - 1;
  return appendAnswer({ from: "c", to: "a", term: 2, success: false, rejectedIndex });
}

function answer(leader: Bench, nextOffsetBytes: number, installed = false, index = 5): void {
  leader.step({
    kind: "snapshotResponse",
    from: "c",
    to: "a",
    term: 2,
    index,
    nextOffsetBytes,
    installed,
  });
}

/** Time passes while the follower answers heartbeats, but nothing else. */
function waitWithSignsOfLife(leader: Bench, ticks: number): void {
  for (let tick = 0; tick < ticks; tick += 1) {
    leader.step(heartbeatAnswer({ from: "b", to: "a", term: 2 }));
    leader.step(heartbeatAnswer({ from: "c", to: "a", term: 2 })).tick();
  }
}

describe("sending a snapshot", () => {
  test("a follower that needs what the log has forgotten gets a snapshot, asked for once", () => {
    const leader = leaderThatNeedsSnapshot();
    expect(leader.wanted).toEqual([{ to: "c", minimumIndex: 5 }]);
    leader.propose();
    waitWithSignsOfLife(leader, 3);
    expect(leader.wanted).toHaveLength(1);
    expect(leader.take("append").filter((message) => message.to === "c")).toEqual([]);
    expect(leader.core.status().progress.get("c")?.state).toBe("snapshot");
  });

  test("a silent follower gets none prepared before it shows itself", () => {
    const leader = new Bench({ id: "a", entries: entriesOf([1, 1, 1, 1, 1, 1]) }).makeLeader();
    leader.acknowledge("b");
    leader.core.compact(5);
    for (let tick = 0; tick < 2 * ELECTION_TICKS; tick += 1) {
      leader.step(heartbeatAnswer({ from: "b", to: "a", term: 2 })).tick();
    }
    leader.core.peerUnreachable("c");
    leader.drain();
    expect(leader.wanted).toEqual([]);
  });

  test("a small window of chunks is on its way, with the last one marked", () => {
    const leader = leaderThatNeedsSnapshot();
    leader.core.snapshotAvailable("c", metaAt(5));
    leader.drain();
    const first = leader.take("snapshotChunk");
    expect(first.map((part) => part.offsetBytes)).toEqual([0, 16, 32, 48]);
    expect(first).toHaveLength(snapshotChunksInFlightMax);
    expect(first.every((part) => part.lengthBytes === 16 && !part.done)).toBe(true);
    answer(leader, 64);
    const rest = leader.take("snapshotChunk");
    expect(rest.map((part) => [part.offsetBytes, part.lengthBytes, part.done])).toEqual([
      [64, 16, false],
      [80, 16, false],
      [96, 4, true],
    ]);
  });

  test("an empty snapshot is one empty last chunk", () => {
    const leader = leaderThatNeedsSnapshot();
    leader.core.snapshotAvailable("c", metaAt(5, 0));
    leader.drain();
    expect(leader.take("snapshotChunk")).toMatchObject([
      { offsetBytes: 0, lengthBytes: 0, done: true },
    ]);
  });

  test("when it is installed, replication goes on behind it", () => {
    const leader = leaderThatNeedsSnapshot();
    leader.core.snapshotAvailable("c", metaAt(5));
    leader.drain().forget();
    answer(leader, 100, true);
    expect(leader.core.status().progress.get("c")).toMatchObject({ state: "probe", matchIndex: 5 });
    expect(leader.take("append")).toMatchObject([{ to: "c", previousIndex: 5, previousTerm: 1 }]);
    leader.step(appendAnswer({ from: "c", to: "a", term: 2, matchIndex: 7 }));
    expect(leader.core.status().progress.get("c")).toMatchObject({
      state: "replicate",
      matchIndex: 7,
    });
  });

  test("late and repeated answers neither rewind nor repeat the transfer", () => {
    const leader = leaderThatNeedsSnapshot();
    leader.core.snapshotAvailable("c", metaAt(5));
    leader.drain();
    answer(leader, 48);
    leader.forget();
    answer(leader, 16);
    answer(leader, 48);
    answer(leader, 96, false, 4);
    expect(leader.take("snapshotChunk")).toEqual([]);
  });

  test("a stall sends again what is not known to have arrived", () => {
    const leader = leaderThatNeedsSnapshot();
    leader.core.snapshotAvailable("c", metaAt(5));
    leader.drain();
    answer(leader, 16);
    leader.forget();
    waitWithSignsOfLife(leader, ELECTION_TICKS);
    expect(leader.take("snapshotChunk").map((part) => part.offsetBytes)).toEqual([16, 32, 48, 64]);
  });

  test("after a lost link it is resumed where it was, when the follower shows itself", () => {
    const leader = leaderThatNeedsSnapshot();
    leader.core.snapshotAvailable("c", metaAt(5));
    leader.drain();
    answer(leader, 32);
    leader.core.peerUnreachable("c");
    leader.forget().tick(3);
    expect(leader.take("snapshotChunk")).toEqual([]);
    leader.step(heartbeatAnswer({ from: "c", to: "a", term: 2 }));
    expect(leader.take("snapshotChunk").map((part) => part.offsetBytes)).toEqual([32, 48, 64, 80]);
    expect(leader.wanted).toHaveLength(1);
  });

  test("it never takes more than its window, however long it is, and stalls nobody else", () => {
    const leader = leaderThatNeedsSnapshot();
    leader.core.snapshotAvailable("c", metaAt(5, 100_000));
    leader.drain();
    for (let offset = 16; offset <= 1600; offset += 16) {
      const window = leader.take("snapshotChunk");
      expect(window.length).toBeLessThanOrEqual(snapshotChunksInFlightMax);
      const index = leader.core.lastIndex() + 1;
      leader.propose().acknowledge("b");
      expect(leader.core.commitIndex()).toBe(index);
      answer(leader, offset);
    }
  });

  test("a follower that was restarted gets it from the offset it asks for", () => {
    const leader = leaderThatNeedsSnapshot();
    leader.core.snapshotAvailable("c", metaAt(5));
    leader.drain();
    answer(leader, 64);
    leader.forget();
    leader.core.peerUnreachable("c");
    answer(leader, 0);
    expect(leader.take("snapshotChunk").map((part) => part.offsetBytes)).toEqual([0, 16, 32, 48]);
  });

  test("a lost word of the end is asked for again with the last chunk", () => {
    const leader = leaderThatNeedsSnapshot();
    leader.core.snapshotAvailable("c", metaAt(5, 20));
    leader.drain();
    answer(leader, 20);
    leader.forget();
    waitWithSignsOfLife(leader, ELECTION_TICKS);
    expect(leader.take("snapshotChunk")).toMatchObject([{ done: true }]);
  });

  test("when there is none the driver is asked again, with growing pauses", () => {
    const leader = leaderThatNeedsSnapshot();
    leader.core.snapshotUnavailable("c");
    leader.core.snapshotUnavailable("c");
    waitWithSignsOfLife(leader, ELECTION_TICKS - 1);
    expect(leader.wanted).toHaveLength(1);
    waitWithSignsOfLife(leader, 1);
    expect(leader.wanted).toHaveLength(2);
    leader.core.snapshotUnavailable("c");
    waitWithSignsOfLife(leader, 2 * ELECTION_TICKS - 1);
    expect(leader.wanted).toHaveLength(2);
    waitWithSignsOfLife(leader, 1);
    expect(leader.wanted).toHaveLength(3);
  });

  test("one that is older than the log by now is not sent", () => {
    const leader = leaderThatNeedsSnapshot();
    leader.core.snapshotAvailable("c", metaAt(4));
    leader.drain();
    expect(leader.take("snapshotChunk")).toEqual([]);
    waitWithSignsOfLife(leader, ELECTION_TICKS);
    expect(leader.wanted).toHaveLength(2);
  });

  test("another node's file is named in every chunk, and none that is older is offered after it", () => {
    const leader = leaderThatNeedsSnapshot();
    const source = { node: "b", incarnation: 7 };
    leader.core.snapshotAvailable("c", metaAt(9), source);
    leader.drain();
    expect(leader.take("snapshotChunk").map((part) => part.source)).toEqual(
      Array.from({ length: snapshotChunksInFlightMax }, () => source),
    );
    leader.core.snapshotUnavailable("c");
    waitWithSignsOfLife(leader, ELECTION_TICKS);
    expect(leader.wanted.at(-1)).toEqual({ to: "c", minimumIndex: 9 });
    leader.core.snapshotAvailable("c", metaAt(8));
    leader.drain();
    expect(leader.forget().take("snapshotChunk")).toEqual([]);
    waitWithSignsOfLife(leader, 8 * ELECTION_TICKS);
    leader.core.snapshotAvailable("c", metaAt(9));
    leader.drain();
    expect(leader.take("snapshotChunk")[0]).toMatchObject({ offsetBytes: 0, source: null });
  });

  test("a follower that catches up otherwise needs it no more", () => {
    const leader = leaderThatNeedsSnapshot();
    leader.step(appendAnswer({ from: "c", to: "a", term: 2, matchIndex: 6 }));
    expect(leader.core.status().progress.get("c")?.state).toBe("probe");
  });
});

describe("receiving a snapshot", () => {
  const part = (offset: number, text: string, done = false, meta = metaAt(9, 6)) =>
    chunk({
      from: "b",
      to: "a",
      term: 1,
      meta,
      offsetBytes: offset,
      data: bytesOf(text),
      lengthBytes: text.length,
      done,
    });

  test("chunks are handed on in order and once, and answered when they are stored", () => {
    const node = new Bench({ id: "a" }).step(part(0, "abc"), part(0, "abc"));
    expect(node.chunks.map((one) => one.offsetBytes)).toEqual([0]);
    node.forget().core.snapshotChunkStored(metaAt(9, 6), 3);
    node.drain();
    expect(node.take("snapshotResponse")).toMatchObject([
      { index: 9, nextOffsetBytes: 3, installed: false },
    ]);
  });

  test("a gap is answered with what is there, and nothing is handed on", () => {
    const node = new Bench({ id: "a" }).step(part(3, "def", true));
    expect(node.chunks).toEqual([]);
    expect(node.take("snapshotResponse")).toMatchObject([{ nextOffsetBytes: 0 }]);
  });

  test("installing resets log, commit, applied and configuration", () => {
    const node = new Bench({ id: "a", entries: entriesOf([1, 1]) });
    const configuration = simpleConfiguration(["b", "c"], ["a"]);
    const meta = { ...metaAt(9, 6), configuration };
    node.step(part(0, "abc", false, meta), part(3, "def", true, meta));
    node.core.snapshotInstalled(meta);
    node.drain();
    expect(node.core.status()).toMatchObject({
      role: "learner",
      commitIndex: 9,
      appliedIndex: 9,
      firstIndex: 10,
      lastIndex: 9,
      durableIndex: 9,
      configuration,
    });
    expect(node.take("snapshotResponse").at(-1)).toMatchObject({ index: 9, installed: true });
    expect(node.take("appendResponse")).toMatchObject([{ success: true, matchIndex: 9 }]);
  });

  test("between the last chunk and its installation nothing is appended, voted for by campaign, or committed", () => {
    const node = new Bench({ id: "a" }).step(part(0, "abcdef", true)).forget();
    node.step(append({ from: "b", to: "a", term: 1, entries: entriesOf([1]), commit: 1 }));
    expect(node.core.lastIndex()).toBe(0);
    expect(node.take("appendResponse")).toEqual([]);
    node.tick(4 * ELECTION_TICKS);
    expect(node.core.role()).toBe("follower");
  });

  test("a snapshot at or below the commit index is answered as installed", () => {
    const hardState = { term: 1, vote: null, commit: 9 };
    const node = new Bench({ id: "a", entries: entriesOf(Array<number>(9).fill(1)), hardState });
    node.step(part(0, "abc"));
    expect(node.chunks).toEqual([]);
    expect(node.take("snapshotResponse")).toMatchObject([{ index: 9, installed: true }]);
    expect(node.take("appendResponse")).toMatchObject([{ success: true, matchIndex: 9 }]);
  });

  test("a snapshot whose position is in the log commits up to it and keeps the entries behind it", () => {
    const node = new Bench({ id: "a", entries: entriesOf(Array<number>(12).fill(1)) });
    node.step(part(0, "abc"));
    expect(node.core.status()).toMatchObject({ commitIndex: 9, lastIndex: 12 });
    expect(node.take("snapshotResponse")).toMatchObject([{ installed: true }]);
  });

  test("the parts of another leader's snapshot do not continue the first one's", () => {
    const node = new Bench({ id: "a" }).step(part(0, "abc"));
    node.step({ ...part(3, "def", true), from: "c", term: 2 });
    expect(node.chunks).toHaveLength(1);
    expect(node.take("snapshotResponse").at(-1)).toMatchObject({ to: "c", nextOffsetBytes: 0 });
  });

  test.each([
    ["another node's file", { node: "d", incarnation: 1 }],
    ["the file of another life", { node: "c", incarnation: 2 }],
    ["the leader's own file", null],
  ])("%s of the same position does not continue the first one", (_what, source) => {
    const first = { node: "c", incarnation: 1 };
    const node = new Bench({ id: "a" }).step({ ...part(0, "abc"), source: first });
    node.core.snapshotChunkStored(metaAt(9, 6), 3);
    node.drain().forget();
    node.step({ ...part(3, "def", true), source });
    expect(node.chunks).toHaveLength(1);
    expect(node.take("snapshotResponse").at(-1)).toMatchObject({ nextOffsetBytes: 0 });
    node.step({ ...part(0, "xyz"), source }, { ...part(3, "uvw", true), source });
    expect(node.chunks.map((one) => one.offsetBytes)).toEqual([0, 0, 3]);
  });

  test("a driver that finds the whole damaged can have it sent again", () => {
    const node = new Bench({ id: "a" }).step(part(0, "abcdef", true)).forget();
    node.core.snapshotChunkStored(metaAt(9, 6), 0);
    node.drain();
    expect(node.take("snapshotResponse")).toMatchObject([{ nextOffsetBytes: 0, installed: false }]);
    node.step(part(0, "abcdef", true));
    expect(node.chunks).toHaveLength(2);
  });

  test("installing what was not handed out as a whole stops the node", () => {
    const node = new Bench({ id: "a" }).step(part(0, "abc"));
    expect(() => node.core.snapshotInstalled(metaAt(9, 6))).toThrow(/installWithoutSnapshot/);
  });
});
