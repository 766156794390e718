import { describe, expect, it } from "vitest";
import { checkHistory } from "./oracle/check-history.ts";
import { History, splitTokens, type AppendRecord, type ReadRecord } from "./oracle/history.ts";

function append(token: string, more: Partial<AppendRecord> = {}): AppendRecord {
  return { client: 0, key: "k", token, startMs: 0, endMs: 10, outcome: "applied", ...more };
}

function read(tokens: readonly string[], more: Partial<ReadRecord> = {}): ReadRecord {
  return {
    client: 0,
    node: "node1",
    connection: 1,
    key: "k",
    mode: "session",
    startMs: 20,
    endMs: 21,
    tokens,
    ownAcknowledged: [],
    ...more,
  };
}

function problemsOf(
  appends: readonly AppendRecord[],
  reads: readonly ReadRecord[],
  final: readonly string[],
): string[] {
  const history = new History();
  history.appends.push(...appends);
  history.reads.push(...reads);
  return checkHistory(history, new Map([["k", final]]));
}

describe("the oracle that holds clients' histories against the final values", () => {
  it("has nothing to say about a history in which all went well", () => {
    const appends = [append("a"), append("b", { startMs: 11, endMs: 12 })];
    const reads = [
      read(["a"], { startMs: 10.5, endMs: 10.6 }),
      read(["a", "b"], { mode: "linearizable" }),
    ];
    expect(problemsOf(appends, reads, ["a", "b"])).toEqual([]);
  });

  it("finds an acknowledged write that is lost", () => {
    expect(problemsOf([append("a")], [], [])).toEqual(["k: acknowledged a is lost"]);
  });

  it("allows a write of unknown outcome to be there or not", () => {
    const unknown = append("a", { outcome: "unknown", endMs: Infinity });
    expect(problemsOf([unknown], [], [])).toEqual([]);
    expect(problemsOf([unknown], [], ["a"])).toEqual([]);
  });

  it("finds a write that failed for sure and was applied all the same", () => {
    expect(problemsOf([append("a", { outcome: "failed" })], [], ["a"])).toHaveLength(1);
  });

  it("finds a write that was applied twice", () => {
    expect(problemsOf([append("a")], [], ["a", "a"])).toEqual(["k: a write was applied twice"]);
  });

  it("finds a value that nobody wrote", () => {
    expect(problemsOf([], [read(["x"])], ["x"])).toEqual(["k: x was never written"]);
  });

  it("finds writes that took effect in the wrong order", () => {
    const appends = [append("a"), append("b", { startMs: 11, endMs: 12 })];
    expect(problemsOf(appends, [], ["b", "a"])).toHaveLength(1);
  });

  it("finds a read of something that never was the value", () => {
    expect(problemsOf([append("a"), append("b")], [read(["b"])], ["a", "b"])[0]).toContain(
      "never was the value",
    );
  });

  it("finds a client that does not read its own write", () => {
    expect(problemsOf([append("a")], [read([], { ownAcknowledged: ["a"] })], ["a"])[0]).toContain(
      "its own a",
    );
  });

  it("finds a connection on which reads go back in time", () => {
    const reads = [read(["a"]), read([], { startMs: 30, endMs: 31 })];
    expect(problemsOf([append("a")], reads, ["a"])[0]).toContain("went back in time");
  });

  it("R21: finds a node on which reads go back in time, over whatever connections", () => {
    const reads = [read(["a"]), read([], { connection: 2, client: 7, startMs: 30, endMs: 31 })];
    expect(problemsOf([append("a")], reads, ["a"])[0]).toContain("node node1 went back in time");
  });

  it("lets another connection read older data from another node in session mode", () => {
    const reads = [read(["a"]), read([], { connection: 2, node: "node2", startMs: 30, endMs: 31 })];
    expect(problemsOf([append("a")], reads, ["a"])).toEqual([]);
  });

  it("finds a linearizable read that misses what was acknowledged before it began", () => {
    expect(problemsOf([append("a")], [read([], { mode: "linearizable" })], ["a"])[0]).toContain(
      "saw 0 writes",
    );
  });

  it("finds a linearizable read that saw a write which had not begun", () => {
    const late = append("a", { startMs: 50, endMs: 60 });
    expect(problemsOf([late], [read(["a"], { mode: "linearizable" })], ["a"])).not.toEqual([]);
  });

  it("takes values apart into tokens of their fixed length", () => {
    expect(splitTokens("0000000100000002")).toEqual(["00000001", "00000002"]);
  });
});
