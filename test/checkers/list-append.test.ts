import { describe, expect, it } from "vitest";
import type { ListStep, ListTransaction, Outcome } from "./history.ts";
import { checkListAppend } from "./list-append.ts";

function append(key: string, element: string): ListStep {
  return { kind: "append", key, element };
}

function read(key: string, ...elements: string[]): ListStep {
  return { kind: "read", key, elements };
}

function transaction(
  times: readonly [number, number],
  steps: readonly ListStep[],
  outcome: Outcome = "ok",
): ListTransaction {
  const [startMs, endMs] = times;
  return { client: 0, connection: 0, startMs, endMs, outcome, steps };
}

/** Beside each other, all of them: only what they read orders them. */
function kindsOf(...steps: readonly (readonly ListStep[])[]): string[] {
  return kindsIn(steps.map((each) => transaction([0, 100], each)));
}

function kindsIn(history: readonly ListTransaction[], realtime = true): string[] {
  return checkListAppend(history, realtime).map(({ kind }) => kind);
}

describe("list append, in the manner of Elle", () => {
  it("has nothing to say about a history that some order explains", () => {
    const history = [
      transaction([0, 1], [append("x", "1"), append("y", "1")]),
      transaction([2, 3], [read("x", "1"), append("x", "2"), read("x", "1", "2")]),
      transaction([2, 9], [append("x", "3")], "unknown"),
      transaction([4, 5], [append("y", "2")], "fail"),
      transaction([10, 11], [read("x", "1", "2", "3"), read("y", "1")]),
    ];
    expect(kindsIn(history)).toEqual([]);
  });

  it("finds a read that contradicts the transaction it is in", () => {
    expect(kindsOf([append("x", "1"), read("x")])).toContain("internal");
    expect(kindsOf([append("x", "1")], [read("x"), read("x", "1")])).toContain("internal");
  });

  it("finds what was never appended", () => {
    expect(kindsOf([read("x", "1")])).toEqual(["phantom"]);
  });

  it("finds what is there twice (R12)", () => {
    expect(kindsOf([append("x", "1")], [read("x", "1", "1")])).toContain("duplicate");
  });

  it("finds two reads of which none is the beginning of the other", () => {
    const writes = [[append("x", "1")], [append("x", "2")]];
    expect(kindsOf(...writes, [read("x", "1", "2")], [read("x", "2")])).toContain(
      "incompatible order",
    );
  });

  it("finds an aborted read: G1a (R06)", () => {
    const history = [
      transaction([0, 1], [append("x", "1")], "fail"),
      transaction([2, 3], [read("x", "1")]),
    ];
    expect(kindsIn(history)).toContain("G1a");
  });

  it("finds an intermediate read: G1b", () => {
    expect(kindsOf([append("x", "1"), append("x", "2")], [read("x", "1")])).toContain("G1b");
  });

  it("finds a lost update: both read the same, both appended", () => {
    const kinds = kindsOf(
      [read("x"), append("x", "1")],
      [read("x"), append("x", "2")],
      [read("x", "1", "2")],
    );
    expect(kinds).toContain("lost update");
    expect(kinds).toContain("G-single");
  });

  it("does not take a write that read nothing before for a lost update", () => {
    const kinds = kindsOf(
      [append("x", "1"), read("x", "1")],
      [read("x", "1"), append("x", "2")],
      [read("x", "1", "2")],
    );
    expect(kinds).toEqual([]);
  });

  it("finds writes that lie between each other: G0", () => {
    const kinds = kindsOf(
      [append("x", "1"), append("y", "1")],
      [append("x", "2"), append("y", "2")],
      [read("x", "1", "2")],
      [read("y", "2", "1")],
    );
    expect(kinds).toContain("G0");
  });

  it("finds two that each saw the other: G1c", () => {
    const kinds = kindsOf([append("x", "1"), read("y", "1")], [append("y", "1"), read("x", "1")]);
    expect(kinds).toContain("G1c");
  });

  it("finds read skew: G-single", () => {
    const kinds = kindsOf(
      [append("x", "1"), append("y", "1")],
      [read("x"), read("y", "1")],
      [read("x", "1")],
    );
    expect(kinds).toEqual(["G-single"]);
  });

  it("finds write skew: G2", () => {
    const kinds = kindsOf(
      [read("x"), append("y", "1")],
      [read("y"), append("x", "1")],
      [read("x", "1"), read("y", "1")],
    );
    expect(kinds).toEqual(["G2"]);
  });

  it("finds an acknowledged append that a later read does not show", () => {
    const history = [transaction([0, 1], [append("x", "1")]), transaction([2, 3], [read("x")])];
    expect(kindsIn(history)).toEqual(["G-single-realtime"]);
    expect(kindsIn(history, false)).toEqual([]);
  });

  it("finds an order of writes against time", () => {
    const history = [
      transaction([0, 1], [append("x", "1")]),
      transaction([2, 3], [append("x", "2")]),
      transaction([4, 5], [read("x", "2", "1")]),
    ];
    expect(kindsIn(history)).toEqual(["G0-realtime"]);
  });

  it("finds a stale read between others, through transactions that are between them in time", () => {
    const history = [
      transaction([0, 1], [append("x", "1")]),
      transaction([2, 3], [append("z", "1")]),
      transaction([4, 5], [append("z", "2")]),
      transaction([6, 7], [read("x")]),
      transaction([8, 9], [read("x", "1")]),
    ];
    expect(kindsIn(history)).toEqual(["G-single-realtime"]);
  });

  it("does not order what has no known end before anything", () => {
    const history = [
      transaction([0, 1], [append("x", "1")], "unknown"),
      transaction([2, 3], [read("x")]),
      transaction([4, 5], [read("x", "1")]),
    ];
    expect(kindsIn(history)).toEqual([]);
  });

  it("gets through thousands of transactions", () => {
    const history: ListTransaction[] = [];
    const elements: string[] = [];
    for (let at = 0; at < 3000; at++) {
      elements.push(String(at));
      history.push(transaction([at * 10, at * 10 + 8], [append("x", String(at))]));
      if (at % 10 === 0)
        history.push(transaction([at * 10 + 9, at * 10 + 9.5], [read("x", ...elements)]));
    }
    expect(kindsIn(history)).toEqual([]);
  });
});
