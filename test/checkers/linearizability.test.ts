import { describe, expect, it } from "vitest";
import type { Operation } from "./history.ts";
import { checkLinearizable } from "./linearizability.ts";
import {
  appendModel,
  longestRead,
  REGISTER,
  withoutUnseenAppends,
  type AppendInput,
  type AppendOutput,
  type RegisterInput,
  type RegisterOutput,
} from "./models.ts";

type RegisterOperation = Operation<RegisterInput, RegisterOutput>;

function operation<Input, Output>(
  times: readonly [number, number],
  input: Input,
  output: Output | null,
  outcome: "ok" | "fail" | "unknown" = "ok",
): Operation<Input, Output> {
  const [startMs, endMs] = times;
  return { client: 0, connection: 0, key: "k", startMs, endMs, outcome, input, output };
}

function set(
  times: readonly [number, number],
  value: string,
  outcome?: "fail" | "unknown",
): RegisterOperation {
  return operation<RegisterInput, RegisterOutput>(
    times,
    { kind: "set", value },
    { value: null },
    outcome,
  );
}

function get(times: readonly [number, number], value: string | null): RegisterOperation {
  return operation<RegisterInput, RegisterOutput>(times, { kind: "get" }, { value });
}

function verdictOf(...operations: readonly RegisterOperation[]): string {
  return checkLinearizable(operations, REGISTER).kind;
}

describe("linearizability of a register", () => {
  it("takes a history in which everything happens one after the other", () => {
    expect(verdictOf(get([0, 1], null), set([2, 3], "a"), get([4, 5], "a"))).toBe("linearizable");
  });

  it("takes either order of two writes that are beside each other, as long as all reads agree", () => {
    const writes = [set([0, 10], "a"), set([0, 10], "b")];
    expect(verdictOf(...writes, get([11, 12], "a"), get([13, 14], "a"))).toBe("linearizable");
    expect(verdictOf(...writes, get([11, 12], "b"))).toBe("linearizable");
    expect(verdictOf(...writes, get([11, 12], "a"), get([13, 14], "b"))).toBe("violation");
  });

  it("rejects a read that shows what was overwritten before it began", () => {
    const verdict = checkLinearizable(
      [set([0, 1], "a"), set([2, 3], "b"), get([4, 5], "a")],
      REGISTER,
    );
    expect(verdict).toEqual({ kind: "violation", operation: 2, placed: 2 });
  });

  it("rejects two reads in a row of which the second shows the older value (R20)", () => {
    const history = [set([0, 1], "a"), set([2, 20], "b"), get([3, 5], "b"), get([6, 8], "a")];
    expect(verdictOf(...history)).toBe("violation");
  });

  it("rejects a read of a write that failed for sure (R06)", () => {
    expect(verdictOf(set([0, 1], "a", "fail"), get([2, 3], "a"))).toBe("violation");
    expect(verdictOf(set([0, 1], "a", "fail"), get([2, 3], null))).toBe("linearizable");
  });

  it("lets a write of unknown outcome take effect late, or never, and not before it began", () => {
    const unknown = set([5, Infinity], "a", "unknown");
    expect(verdictOf(unknown, get([6, 7], null), get([100, 101], "a"))).toBe("linearizable");
    expect(verdictOf(unknown, get([100, 101], null))).toBe("linearizable");
    expect(verdictOf(unknown, get([1, 2], "a"))).toBe("violation");
    expect(verdictOf(unknown, get([6, 7], "a"), get([8, 9], null))).toBe("violation");
  });

  it("holds what begins in the moment in which another ends for beside it", () => {
    expect(verdictOf(set([0, 5], "a"), get([5, 6], null))).toBe("linearizable");
    expect(verdictOf(set([0, 5], "a"), get([5.001, 6], null))).toBe("violation");
  });

  it("judges the answer of a compare-and-set", () => {
    const swap = (value: "0" | "1"): RegisterOperation =>
      operation<RegisterInput, RegisterOutput>(
        [2, 3],
        { kind: "compareAndSet", expected: "a", value: "b" },
        { value },
      );
    expect(verdictOf(set([0, 1], "a"), swap("1"), get([4, 5], "b"))).toBe("linearizable");
    expect(verdictOf(set([0, 1], "a"), swap("0"), get([4, 5], "a"))).toBe("violation");
  });

  it("gives up at its bound instead of searching for ever", () => {
    const writes = Array.from({ length: 14 }, (_, at) => set([0, 100], `v${at}`));
    const verdict = checkLinearizable([...writes, get([101, 102], "none of them")], REGISTER, 1000);
    expect(verdict.kind).toBe("undecided");
  });

  it("gets through a long history with many at a time", () => {
    const history: RegisterOperation[] = [];
    for (let round = 0; round < 500; round++) {
      const at = round * 10;
      for (let client = 0; client < 4; client++)
        history.push(set([at + client * 0.1, at + 5], `${round}.${client}`));
      history.push(get([at + 6, at + 7], `${round}.2`));
    }
    expect(checkLinearizable(history, REGISTER).kind).toBe("linearizable");
  });
});

describe("linearizability of a list that grows", () => {
  type ListOperation = Operation<AppendInput, AppendOutput>;
  const append = (
    times: readonly [number, number],
    element: string,
    more: { readonly length?: number; readonly outcome?: "unknown" } = {},
  ): ListOperation => {
    const { length, outcome } = more;
    const output = length === undefined ? null : { length };
    return operation<AppendInput, AppendOutput>(
      times,
      { kind: "append", element },
      output,
      outcome,
    );
  };
  const read = (times: readonly [number, number], ...elements: string[]): ListOperation =>
    operation<AppendInput, AppendOutput>(times, { kind: "read" }, { elements });
  const verdict = (...operations: readonly ListOperation[]): string => {
    const order = longestRead(operations);
    const relevant = withoutUnseenAppends(operations, order);
    return checkLinearizable(relevant, appendModel(order)).kind;
  };

  it("takes appends in the order that reads show", () => {
    const appends = [append([0, 10], "a"), append([0, 10], "b"), append([11, 12], "c")];
    expect(verdict(...appends, read([5, 6], "b"), read([13, 14], "b", "a", "c"))).toBe(
      "linearizable",
    );
  });

  it("rejects an acknowledged append that later reads do not show", () => {
    expect(verdict(append([0, 1], "a"), read([2, 3]))).toBe("violation");
  });

  it("rejects an order against time", () => {
    const history = [append([0, 1], "a"), append([2, 3], "b"), read([4, 5], "b", "a")];
    expect(verdict(...history)).toBe("violation");
  });

  it("rejects a length that can not be: something was applied twice (R12)", () => {
    expect(verdict(append([0, 1], "a", { length: 2 }), read([2, 3], "a"))).toBe("violation");
    expect(verdict(append([0, 1], "a", { length: 1 }), read([2, 3], "a"))).toBe("linearizable");
  });

  it("does not double its search with every unknown append that nobody saw", () => {
    const lost = Array.from({ length: 60 }, (_, at) =>
      append([at, Infinity], `lost${at}`, { outcome: "unknown" }),
    );
    const seen = Array.from({ length: 20 }, (_, at) =>
      append([at, Infinity], `seen${at}`, { outcome: "unknown" }),
    );
    const elements = seen.map(({ input }) => (input.kind === "append" ? input.element : ""));
    expect(verdict(...lost, ...seen, read([100, 101], ...elements.toReversed()))).toBe(
      "linearizable",
    );
  });
});
