import { describe, expect, it } from "vitest";
import { checkCounter, type CounterInput, type CounterOutput } from "./counter.ts";
import type { Operation, Outcome } from "./history.ts";

type CounterOperation = Operation<CounterInput, CounterOutput>;

function operation(
  kind: "increment" | "read",
  times: readonly [number, number],
  value: number | null,
  outcome: Outcome = "ok",
): CounterOperation {
  const [startMs, endMs] = times;
  const output = value === null ? null : { value };
  return { client: 0, connection: 0, key: "c", startMs, endMs, outcome, input: { kind }, output };
}

const lostAnswer = operation("increment", [0, Infinity], null, "unknown");

describe("an exactly-once counter", () => {
  it("has nothing to say when every increment counted once, and those without an answer at most once", () => {
    const history = [
      operation("increment", [0, 1], 1),
      operation("increment", [0, 1], 2),
      operation("increment", [0, 1], null, "fail"),
      lostAnswer,
      operation("read", [5, 6], 2),
      operation("increment", [7, 8], 4),
    ];
    expect(checkCounter(history, 4)).toEqual([]);
    expect(checkCounter([lostAnswer], 0)).toEqual([]);
    expect(checkCounter([lostAnswer], 1)).toEqual([]);
  });

  it("rejects an increment that a retry has applied twice (R12)", () => {
    expect(checkCounter([operation("increment", [0, 1], 1)], 2)).toHaveLength(1);
    expect(checkCounter([operation("increment", [0, 1], 2)], null)).toHaveLength(1);
    expect(checkCounter([lostAnswer], 2)).toHaveLength(1);
  });

  it("rejects an acknowledged increment that is gone", () => {
    expect(checkCounter([operation("increment", [0, 1], 1)], 0)).toHaveLength(1);
    expect(
      checkCounter([operation("increment", [0, 1], 1), operation("read", [2, 3], 0)], null),
    ).not.toEqual([]);
  });

  it("rejects two increments with one answer", () => {
    const history = [operation("increment", [0, 9], 1), operation("increment", [0, 9], 1)];
    expect(checkCounter(history, null)).toEqual(["two increments were answered with 1"]);
  });

  it("rejects one that failed for sure and counts", () => {
    expect(checkCounter([operation("increment", [0, 1], null, "fail")], 1)).toHaveLength(1);
  });

  it("rejects answers that go back in time", () => {
    const history = [
      operation("increment", [0, 9], 2),
      operation("increment", [0, 20], 1),
      operation("read", [0, 10], 2),
      operation("read", [11, 12], 1),
    ];
    expect(checkCounter(history, 2)).not.toEqual([]);
  });
});
