/** Sequential objects that histories are held against. */
import type { Operation } from "./history.ts";
import type { Model } from "./linearizability.ts";

export type RegisterInput =
  | { readonly kind: "set"; readonly value: string }
  | { readonly kind: "get" }
  /** Sets only what is `expected`; the answer says whether it did. */
  | { readonly kind: "compareAndSet"; readonly expected: string | null; readonly value: string };

/** Of a set nothing, of a get the value, of a compare-and-set "1" or "0". */
export type RegisterOutput = { readonly value: string | null };

/** Its states: "-" of one that was never set, else "=" and the value. */
export const REGISTER: Model<string, RegisterInput, RegisterOutput> = {
  initial: "-",
  step: (state, input, output) => {
    if (input.kind === "set") return registerState(input.value);
    if (input.kind === "get")
      return output === null || registerState(output.value) === state ? state : null;
    const does = state === registerState(input.expected);
    if (output !== null && output.value !== (does ? "1" : "0")) return null;
    return does ? registerState(input.value) : state;
  },
  describe: (state) => state,
};

function registerState(value: string | null): string {
  return value === null ? "-" : `=${value}`;
}

/** A list that grows at its end: one element each, and reads of the whole. */
export type AppendInput =
  | { readonly kind: "append"; readonly element: string }
  | { readonly kind: "read" };

/** Of an append its length behind it, or nothing that is known; of a read all elements. */
export type AppendOutput = { readonly elements: readonly string[] } | { readonly length: number };

/** Its states are how long it is: which elements those are is said by the longest read (`appendModel`). */
export type AppendModel = Model<number, AppendInput, AppendOutput>;

/**
 * A list of which the order is known: `order` has every element that anybody saw, as the longest read showed them. An element that
 * is not in it comes behind all reads. Searching without it would try all orders of appends that are beside each other.
 */
export function appendModel(order: readonly string[]): AppendModel {
  const positions = new Map(order.map((element, position) => [element, position]));
  return {
    initial: 0,
    step: (length, input, output) => {
      if (input.kind === "append") {
        const position = positions.get(input.element);
        const isNext = position === undefined ? length >= order.length : position === length;
        if (!isNext) return null;
        const isAnswer = output === null || !("length" in output) || output.length === length + 1;
        return isAnswer ? length + 1 : null;
      }
      if (output === null || !("elements" in output)) return length;
      if (output.elements.length !== length) return null;
      return output.elements.every((element, at) => order[at] === element) ? length : null;
    },
    describe: String,
  };
}

/**
 * Leaves out appends of unknown outcome that nobody saw: they can always come behind everything. Each would double the search.
 */
export function withoutUnseenAppends(
  operations: readonly Operation<AppendInput, AppendOutput>[],
  order: readonly string[],
): Operation<AppendInput, AppendOutput>[] {
  const seen = new Set(order);
  return operations.filter(({ input, outcome }) => {
    return outcome === "ok" || (input.kind === "append" && seen.has(input.element));
  });
}

/** The longest list that a read of these shows. */
export function longestRead(
  operations: readonly Operation<AppendInput, AppendOutput>[],
): readonly string[] {
  let longest: readonly string[] = [];
  for (const { output, outcome } of operations) {
    if (outcome !== "ok" || output === null || !("elements" in output)) continue;
    if (output.elements.length > longest.length) longest = output.elements;
  }
  return longest;
}
