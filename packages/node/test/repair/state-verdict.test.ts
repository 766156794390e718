import { describe, expect, it } from "vitest";
import { BUSY, judgeStates } from "../../src/repair/state-verdict.ts";

const CHECK = { checkId: "c", index: 9 };

function judge(
  reports: Readonly<Record<string, string>>,
  voters: readonly string[],
  others: readonly string[] = [],
): string {
  const verdict = judgeStates(CHECK, new Map(Object.entries(reports)), { voters, others });
  return [verdict.outcome, ...verdict.members.map(({ id, state }) => `${id}:${state}`)].join(" ");
}

describe("the verdict about the members' states (R32)", () => {
  const three = ["a", "b", "c"];

  it.each<[string, Readonly<Record<string, string>>, string]>([
    ["all the same", { a: "1", b: "1", c: "1" }, "equal a:equal b:equal c:equal"],
    ["one of three differs", { a: "1", b: "2", c: "1" }, "different a:equal b:different c:equal"],
    [
      "an answer is missing: never equal",
      { a: "1", b: "1" },
      "incomplete a:equal b:equal c:unknown",
    ],
    [
      "a busy member: never equal",
      { a: "1", b: "1", c: BUSY },
      "incomplete a:equal b:equal c:unknown",
    ],
    ["one answer is no majority", { a: "1" }, "incomplete a:unknown b:unknown c:unknown"],
    ["two that differ, one missing", { a: "1", b: "2" }, "undecided a:unknown b:unknown c:unknown"],
    ["all differ", { a: "1", b: "2", c: "3" }, "undecided a:unknown b:unknown c:unknown"],
    ["nobody could", { a: BUSY, b: BUSY, c: BUSY }, "incomplete a:unknown b:unknown c:unknown"],
    ["no answer at all", {}, "incomplete a:unknown b:unknown c:unknown"],
  ])("%s", (_, reports, expected) => {
    expect(judge(reports, three)).toBe(expected);
  });

  it("does not take the side of one of two", () => {
    expect(judge({ a: "1", b: "2" }, ["a", "b"])).toBe("undecided a:unknown b:unknown");
    expect(judge({ a: "1", b: "1" }, ["a", "b"])).toBe("equal a:equal b:equal");
  });

  it("compares learners and does not count them", () => {
    expect(judge({ a: "1", b: "2", c: "2" }, ["a"], ["b", "c"])).toBe(
      "different a:equal b:different c:different",
    );
    expect(judge({ a: "1", c: "1", d: "1" }, three, ["d"])).toBe(
      "incomplete a:equal b:unknown c:equal d:equal",
    );
  });

  it("needs three of five, and two may be wrong", () => {
    const five = [...three, "d", "e"];
    expect(judge({ a: "1", b: "1", c: "2", d: "2", e: "1" }, five)).toContain("different a:equal");
    expect(judge({ a: "1", b: "1", c: "2", d: "2" }, five)).toMatch(/^undecided/);
  });
});
