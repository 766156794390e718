/** Operations of a run in the form that the checkers take: times are places in the order of all calls and returns. */
import type { ListTransaction, Operation as Checked } from "../../checkers/history.ts";
import type { AppendInput, AppendOutput } from "../../checkers/models.ts";
import type { Call, Operation } from "../clients/operation.ts";
import type { Reply } from "./models.ts";

export type CheckedOperation = Checked<Call, Reply>;
export type ListOperation = Checked<AppendInput, AppendOutput>;

export function checkedOperation(operation: Operation): CheckedOperation {
  const output = operation.outcome === "ok" ? { value: operation.result } : null;
  return { ...timesOf(operation), key: operation.key, input: operation.call, output };
}

/** Of a list: its tokens, each with a comma behind it. */
export function listOperation(operation: Operation): ListOperation {
  const { key, call, outcome, result } = operation;
  const times = timesOf(operation);
  if (call.kind === "append") {
    // The reply is a length in bytes, which says nothing about how many tokens there are.
    return { ...times, key, input: { kind: "append", element: call.token }, output: null };
  }
  const output = outcome === "ok" ? { elements: tokensOf(result) } : null;
  return { ...times, key, input: { kind: "read" }, output };
}

export function listTransaction(operation: ListOperation): ListTransaction {
  const { client, connection, startMs, endMs, outcome, key, input, output } = operation;
  const elements = output !== null && "elements" in output ? output.elements : null;
  const step =
    input.kind === "append"
      ? ({ kind: "append", key, element: input.element } as const)
      : ({ kind: "read", key, elements } as const);
  return { client, connection, startMs, endMs, outcome, steps: [step] };
}

function timesOf({
  client,
  connection,
  calledAt,
  returnedAt,
  outcome,
}: Operation): Pick<CheckedOperation, "client" | "connection" | "startMs" | "endMs" | "outcome"> {
  return { client, connection, startMs: calledAt, endMs: returnedAt ?? Infinity, outcome };
}

function tokensOf(result: string | number | null): string[] {
  return result === null ? [] : String(result).split(",").slice(0, -1);
}
