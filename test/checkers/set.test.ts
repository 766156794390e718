import { describe, expect, it } from "vitest";
import type { Operation, Outcome } from "./history.ts";
import { checkSet, type SetInput, type SetOutput } from "./set.ts";

type SetOperation = Operation<SetInput, SetOutput>;

function add(
  times: readonly [number, number],
  element: string,
  outcome: Outcome = "ok",
): SetOperation {
  const [startMs, endMs] = times;
  const input = { kind: "add", element } as const;
  return { client: 0, connection: 0, key: "s", startMs, endMs, outcome, input, output: null };
}

function read(times: readonly [number, number], ...elements: string[]): SetOperation {
  const [startMs, endMs] = times;
  const input = { kind: "read" } as const;
  return {
    client: 1,
    connection: 0,
    key: "s",
    startMs,
    endMs,
    outcome: "ok",
    input,
    output: { elements },
  };
}

describe("a set", () => {
  it("has nothing to say when all that was acknowledged is there", () => {
    const history = [
      add([0, 1], "a"),
      add([0, 50], "b"),
      add([0, Infinity], "c", "unknown"),
      add([0, 1], "d", "fail"),
      read([2, 3], "a"),
      read([60, 61], "a", "b"),
      read([62, 63], "a", "b", "c"),
    ];
    expect(checkSet(history)).toEqual([]);
  });

  it("finds an acknowledged element that is in no later read", () => {
    expect(checkSet([add([0, 1], "a"), read([2, 3])])).toEqual([{ kind: "lost", element: "a" }]);
  });

  it("finds a read that was too old: the element is back in the next one", () => {
    const history = [add([0, 1], "a"), read([2, 3]), read([4, 5], "a")];
    expect(checkSet(history)).toEqual([{ kind: "stale", element: "a" }]);
  });

  it("finds an element that was seen and is gone, acknowledged or not", () => {
    const unknown = add([0, Infinity], "a", "unknown");
    expect(checkSet([unknown, read([2, 3], "a"), read([4, 5])])).toEqual([
      { kind: "vanished", element: "a" },
    ]);
  });

  it("finds what nobody added, or not yet, or not for sure", () => {
    expect(checkSet([read([0, 1], "a")])).toEqual([{ kind: "phantom", element: "a" }]);
    expect(checkSet([read([0, 1], "a"), add([2, 3], "a")])).toEqual([
      { kind: "phantom", element: "a" },
    ]);
    expect(checkSet([add([0, 1], "a", "fail"), read([2, 3], "a")])).toEqual([
      { kind: "failed", element: "a" },
    ]);
  });

  it("finds what is there twice", () => {
    expect(checkSet([add([0, 1], "a"), read([2, 3], "a", "a")])).toEqual([
      { kind: "duplicate", element: "a" },
    ]);
  });
});
