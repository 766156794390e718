import { describe, expect, it } from "vitest";
import type { Operation, Outcome } from "./history.ts";
import type { AppendInput, AppendOutput } from "./models.ts";
import { checkSessions } from "./sessions.ts";

type ListOperation = Operation<AppendInput, AppendOutput>;

const ORDER = ["a", "b", "c", "d"];

function append(
  element: string,
  more: { connection?: number; outcome?: Outcome } = {},
): ListOperation {
  const { connection = 1, outcome = "ok" } = more;
  const input = { kind: "append", element } as const;
  return { client: 0, connection, key: "k", startMs: 0, endMs: 1, outcome, input, output: null };
}

function read(length: number, connection = 1): ListOperation {
  const output = { elements: ORDER.slice(0, length) };
  const input = { kind: "read" } as const;
  return { client: 0, connection, key: "k", startMs: 0, endMs: 1, outcome: "ok", input, output };
}

function brokenBy(...operations: readonly ListOperation[]): string[] {
  return checkSessions(operations, new Map([["k", ORDER]])).map(({ guarantee }) => guarantee);
}

describe("the guarantees of a session", () => {
  it("has nothing to say when a connection goes forward only", () => {
    expect(brokenBy(read(0), append("b"), read(2), read(2), append("d"), read(4))).toEqual([]);
  });

  it("rejects a read that does not show the connection's own write", () => {
    expect(brokenBy(append("c"), read(2))).toEqual(["read your writes"]);
  });

  it("does not ask for a write without an answer, or one that failed", () => {
    expect(brokenBy(append("c", { outcome: "unknown" }), read(2))).toEqual([]);
    expect(brokenBy(append("x", { outcome: "fail" }), read(2))).toEqual([]);
  });

  it("rejects a read that shows less than an earlier one", () => {
    expect(brokenBy(read(3), read(2))).toEqual(["monotonic reads"]);
  });

  it("rejects writes that overtake each other", () => {
    expect(brokenBy(append("c"), append("b"))).toContain("monotonic writes");
  });

  it("rejects a write that comes before what the connection had read", () => {
    expect(brokenBy(read(3), append("b"))).toEqual(["writes follow reads"]);
  });

  it("lets a pipeline of unknown outcome be seen as a whole, and no write overtake a read that was answered before", () => {
    const unknown = append("b", { outcome: "unknown" });
    expect(brokenBy(read(3), unknown)).toEqual([]);
    expect(brokenBy(read(3), { ...unknown, startMs: 5, endMs: Infinity })).toEqual([
      "writes follow reads",
    ]);
  });

  it("promises nothing from one connection to the next", () => {
    expect(brokenBy(append("c"), read(4), read(1, 2), append("b", { connection: 2 }))).toEqual([]);
  });
});
