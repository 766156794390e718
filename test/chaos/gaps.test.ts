import { describe, expect, it } from "vitest";
import { gapsOf, joined, statisticsOf } from "./gaps.ts";
import type { MadeFault } from "./nemesis.ts";

const FAULT: MadeFault = {
  kind: "kill-leader",
  about: "",
  hit: [0],
  keepsMajority: true,
  startedMs: 1000,
  endedMs: 3000,
  wellMs: 4000,
};

describe("the gap that a fault made", () => {
  it("is the longest time between two acknowledged writes that it touches", () => {
    const acknowledgedMs = [100, 900, 1400, 3900, 4300, 9000];
    expect(gapsOf(FAULT, [{ node: 1, acknowledgedMs }])).toEqual([2500]);
  });

  it("may have begun before it, and goes on to the end of what is known", () => {
    expect(gapsOf(FAULT, [{ node: 1, acknowledgedMs: [200, 2200] }])).toEqual([2000]);
    expect(gapsOf(FAULT, [{ node: 1, acknowledgedMs: [950] }])).toEqual([3050]);
  });

  it("is not that of clients of the node it hit", () => {
    expect(gapsOf(FAULT, [{ node: 0, acknowledgedMs: [] }])).toEqual([]);
  });

  it("is the time to the first write behind its end, for everybody, when it leaves no majority", () => {
    const fault = { ...FAULT, keepsMajority: false };
    expect(gapsOf(fault, [{ node: 0, acknowledgedMs: [900, 3250, 3300] }])).toEqual([250]);
  });
});

it("two faults at once leave no majority when together they hit one", () => {
  const other = { ...FAULT, hit: [1], startedMs: 500, endedMs: 2000 };
  expect(joined([FAULT, other], 3)).toMatchObject({
    hit: [0, 1],
    keepsMajority: false,
    startedMs: 500,
    endedMs: 3000,
  });
  expect(joined([FAULT, other], 5).keepsMajority).toBe(true);
  expect(joined([FAULT], 3).keepsMajority).toBe(true);
});

it("statistics name gaps that there were, and none of none", () => {
  expect(statisticsOf([])).toBeNull();
  expect(statisticsOf([5, 1, 3])).toEqual({ count: 3, p50Ms: 3, p99Ms: 5, maxMs: 5 });
});
