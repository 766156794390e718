/**
 * What clients did and what became of it, in one form for all checkers, wherever it comes from: a simulation or real processes.
 * Times are of one clock that all clients share (virtual, or one machine's monotonic one), in ms.
 *
 *   ok       it took effect, between start and end
 *   fail     it did not and never will
 *   unknown  it did, does later, or never does; its end is not known: Infinity
 *
 * Two operations are ordered in time only when one ended before the other began; in the same moment they are beside each other.
 */
export type Outcome = "ok" | "fail" | "unknown";

interface Timed {
  readonly client: number;
  /** Counts the client's connections: what a session promises ends with it. */
  readonly connection: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly outcome: Outcome;
}

/** One operation on one key. `Input` is what was asked, `Output` the answer of one that is ok, else null. */
export interface Operation<Input, Output> extends Timed {
  readonly key: string;
  readonly input: Input;
  readonly output: Output | null;
}

/** A part of a transaction on lists: elements are unlike any other element of the same key. */
export type ListStep =
  | { readonly kind: "append"; readonly key: string; readonly element: string }
  | {
      readonly kind: "read";
      readonly key: string;
      /** The whole list; null when the transaction is not ok. */
      readonly elements: readonly string[] | null;
    };

/** Steps that take effect together; a single command is a transaction of one step. */
export interface ListTransaction extends Timed {
  readonly steps: readonly ListStep[];
}

/** Whether `left` was over before `right` began. */
export function isBefore(left: Pick<Timed, "endMs">, right: Pick<Timed, "startMs">): boolean {
  return left.endMs < right.startMs;
}

export function groupByKey<Each extends { readonly key: string }>(
  operations: readonly Each[],
): Map<string, Each[]> {
  const groups = new Map<string, Each[]>();
  for (const operation of operations) {
    const group = groups.get(operation.key);
    if (group === undefined) groups.set(operation.key, [operation]);
    else group.push(operation);
  }
  return groups;
}
