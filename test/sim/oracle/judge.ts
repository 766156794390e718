/** Holds what the clients saw against what was promised, with all checkers, and against the final values. */
import { checkCounter } from "../../checkers/counter.ts";
import { groupByKey, type ListTransaction, type Operation } from "../../checkers/history.ts";
import { checkLinearizable } from "../../checkers/linearizability.ts";
import { checkListAppend } from "../../checkers/list-append.ts";
import {
  appendModel,
  REGISTER,
  withoutUnseenAppends,
  type AppendInput,
  type AppendOutput,
} from "../../checkers/models.ts";
import { checkSessions } from "../../checkers/sessions.ts";
import { checkSet, type SetInput, type SetOutput } from "../../checkers/set.ts";
import {
  isStrong,
  type ClientRecord,
  type CounterOperation,
  type ListOperation,
  type RegisterOperation,
} from "./client-record.ts";

/** What the cluster holds in the end, when all nodes hold the same. */
export interface FinalValues {
  readonly atMs: number;
  readonly lists: ReadonlyMap<string, readonly string[]>;
  readonly registers: ReadonlyMap<string, string | null>;
  readonly counters: ReadonlyMap<string, number>;
}

/** Tried by one search for an order before it is called undecided. */
const LOOKS_MAX = 300_000;

/** Every broken promise is one sentence. */
export function judge(record: ClientRecord, final: FinalValues): string[] {
  return [
    ...judgeLists(record, final),
    ...judgeRegisters(record, final),
    ...judgeCounters(record, final),
  ];
}

function judgeLists(record: ClientRecord, final: FinalValues): string[] {
  const problems: string[] = [];
  for (const [key, operations] of groupByKey(record.lists)) {
    const order = final.lists.get(key) ?? [];
    const strong = operations.filter(
      ({ input, mode }) => input.kind === "append" || isStrong(mode),
    );
    const withEnd = [...strong, finalRead(key, order, final.atMs)];
    problems.push(...judgeOrder(record, key, withEnd, order), ...judgeAsSet(key, withEnd));
    const transactions = withEnd.map(transaction);
    problems.push(...anomaliesOf(transactions, true));
    // Reads of a session may be late: they have to fit into some order, not into that of time.
    const all = [...operations, finalRead(key, order, final.atMs)].map(transaction);
    problems.push(...anomaliesOf(all, false));
  }
  const sessions = record.lists.filter(({ input, mode }) => {
    return input.kind === "append" || mode !== "local";
  });
  for (const { guarantee, sentence } of checkSessions(sessions, final.lists))
    problems.push(`${guarantee}: ${sentence}`);
  return problems;
}

function judgeOrder(
  record: ClientRecord,
  key: string,
  operations: readonly ListOperation[],
  order: readonly string[],
): string[] {
  const relevant = withoutUnseenAppends(operations, order);
  const verdict = checkLinearizable(relevant, appendModel(order), LOOKS_MAX);
  if (verdict.kind === "undecided") record.undecided++;
  if (verdict.kind !== "violation") return [];
  return [
    `linearizability of ${key}: ${describeOperation(relevant[verdict.operation])} has no place`,
  ];
}

function judgeAsSet(key: string, operations: readonly ListOperation[]): string[] {
  const asSet = operations.map((operation): Operation<SetInput, SetOutput> => {
    const { input, output } = operation;
    if (input.kind === "append")
      return { ...operation, input: { kind: "add", element: input.element }, output: null };
    const elements = output !== null && "elements" in output ? output : null;
    return { ...operation, input: { kind: "read" }, output: elements };
  });
  return checkSet(asSet).map(({ kind, element }) => `set ${key}: ${element} is ${kind}`);
}

function anomaliesOf(transactions: readonly ListTransaction[], realtime: boolean): string[] {
  return checkListAppend(transactions, realtime).map(
    ({ kind, sentence }) => `list append, ${kind}: ${sentence}`,
  );
}

function transaction({ key, input, output, ...rest }: ListOperation): ListTransaction {
  if (input.kind === "append")
    return { ...rest, steps: [{ kind: "append", key, element: input.element }] };
  const elements = output !== null && "elements" in output ? output.elements : null;
  return { ...rest, steps: [{ kind: "read", key, elements }] };
}

function finalRead(key: string, elements: readonly string[], atMs: number): ListOperation {
  const input: AppendInput = { kind: "read" };
  const output: AppendOutput = { elements };
  return { ...AT_THE_END, key, startMs: atMs, endMs: atMs, input, output };
}

const AT_THE_END = {
  client: -1,
  connection: 0,
  outcome: "ok",
  mode: "linearizable",
  isAbandoned: false,
} as const;

function judgeRegisters(record: ClientRecord, final: FinalValues): string[] {
  const problems: string[] = [];
  for (const [key, operations] of groupByKey(record.registers)) {
    const strong = operations.filter(({ input, mode }) => input.kind !== "get" || isStrong(mode));
    const value = final.registers.get(key) ?? null;
    const end: RegisterOperation = {
      ...AT_THE_END,
      key,
      startMs: final.atMs,
      endMs: final.atMs,
      input: { kind: "get" },
      output: { value },
    };
    const relevant = withoutUnseenSets([...strong, end]);
    const verdict = checkLinearizable(relevant, REGISTER, LOOKS_MAX);
    if (verdict.kind === "undecided") record.undecided++;
    if (verdict.kind === "violation")
      problems.push(
        `linearizability of ${key}: ${describeOperation(relevant[verdict.operation])} has no place`,
      );
  }
  return problems;
}

/** Values are unlike each other: a set of unknown outcome whose value nobody saw can always come behind everything. */
function withoutUnseenSets(operations: readonly RegisterOperation[]): RegisterOperation[] {
  const seen = new Set(operations.map(({ output }) => output?.value));
  return operations.filter(({ input, outcome }) => {
    return outcome === "ok" || (input.kind === "set" && seen.has(input.value));
  });
}

function judgeCounters(record: ClientRecord, final: FinalValues): string[] {
  const problems: string[] = [];
  for (const [key, operations] of groupByKey<CounterOperation>(record.counters)) {
    const strong = operations.filter(
      ({ input, mode }) => input.kind === "increment" || isStrong(mode),
    );
    const found = checkCounter(strong, final.counters.get(key) ?? 0);
    problems.push(...found.map((sentence) => `counter ${key}: ${sentence}`));
  }
  return problems;
}

function describeOperation(operation: Operation<unknown, unknown>): string {
  const { client, connection, startMs, endMs, input, output } = operation;
  const shown = JSON.stringify({ input, output });
  const text = shown.length > 200 ? `${shown.slice(0, 200)}...` : shown;
  return `${text} of client ${client}.${connection} from ${startMs} to ${endMs}`;
}
