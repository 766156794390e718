/** A counter that only grows, by one: every increment takes effect exactly once when it is answered, at most once otherwise. */
import type { Operation } from "./history.ts";

export type CounterInput = { readonly kind: "increment" } | { readonly kind: "read" };

export interface CounterOutput {
  readonly value: number;
}

type CounterOperation = Operation<CounterInput, CounterOutput>;

/** Every broken promise is one sentence. All operations are on one counter; reads have to be linearizable ones. */
export function checkCounter(
  operations: readonly CounterOperation[],
  finalValue: number | null,
): string[] {
  const problems: string[] = [];
  const increments = operations.filter(({ input }) => input.kind === "increment");
  const answered = increments.filter(({ outcome }) => outcome === "ok");
  const unknown = increments.filter(({ outcome }) => outcome === "unknown");
  checkAnswersDiffer(answered, problems);
  for (const operation of operations) {
    if (operation.outcome === "ok") checkBounds(operation, { answered, unknown }, problems);
  }
  checkNeverBack(operations, problems);
  const most = answered.length + unknown.length;
  if (finalValue !== null && (finalValue < answered.length || finalValue > most)) {
    problems.push(
      `the counter ends at ${finalValue}: ${answered.length} increments were acknowledged, ${unknown.length} may have happened`,
    );
  }
  return problems;
}

/** Two increments with one answer were one, or one was lost. */
function checkAnswersDiffer(answered: readonly CounterOperation[], problems: string[]): void {
  const values = new Set<number>();
  for (const { output } of answered) {
    const { value } = output!;
    if (values.has(value)) problems.push(`two increments were answered with ${value}`);
    values.add(value);
  }
}

/** At least what was acknowledged before it began, at most what had begun before it ended. */
function checkBounds(
  operation: CounterOperation,
  increments: {
    readonly answered: readonly CounterOperation[];
    readonly unknown: readonly CounterOperation[];
  },
  problems: string[],
): void {
  const { value } = operation.output!;
  const own = operation.input.kind === "increment" ? 1 : 0;
  const others = increments.answered.filter((increment) => increment !== operation);
  const least = own + others.filter(({ endMs }) => endMs < operation.startMs).length;
  const most =
    own +
    [...others, ...increments.unknown].filter(({ startMs }) => startMs <= operation.endMs).length;
  if (value < least)
    problems.push(`${operation.input.kind} gave ${value} where ${least} had been acknowledged`);
  if (value > most)
    problems.push(`${operation.input.kind} gave ${value} where at most ${most} had begun`);
}

/** What was answered before another began is not more than that one's answer. */
function checkNeverBack(operations: readonly CounterOperation[], problems: string[]): void {
  const known = operations.filter(({ outcome }) => outcome === "ok");
  const byStart = [...known].sort((left, right) => left.startMs - right.startMs);
  const byEnd = [...known].sort((left, right) => left.endMs - right.endMs);
  let highest = -Infinity;
  let at = 0;
  for (const operation of byStart) {
    for (; at < byEnd.length && byEnd[at].endMs < operation.startMs; at++)
      highest = Math.max(highest, byEnd[at].output!.value);
    const { value } = operation.output!;
    const isBack = operation.input.kind === "increment" ? value <= highest : value < highest;
    if (isBack) problems.push(`${operation.input.kind} gave ${value} behind ${highest}`);
  }
}
