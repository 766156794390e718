/** Judges what the clients were told, promise by promise. */
import { checkCounter, type CounterInput, type CounterOutput } from "../../checkers/counter.ts";
import { groupByKey, type Operation as Checked } from "../../checkers/history.ts";
import { checkLinearizable, type Model } from "../../checkers/linearizability.ts";
import { checkListAppend } from "../../checkers/list-append.ts";
import { appendModel, longestRead, withoutUnseenAppends } from "../../checkers/models.ts";
import { checkSessions } from "../../checkers/sessions.ts";
import { checkSet, type SetInput, type SetOutput } from "../../checkers/set.ts";
import { isWrite, type Operation } from "../clients/operation.ts";
import {
  checkedOperation,
  listOperation,
  listTransaction,
  type CheckedOperation,
  type ListOperation,
} from "./checked-operations.ts";
import { COUNTER, REGISTER } from "./models.ts";
import { verdict, type Verdict } from "./verdict.ts";

/** The operations of a run, the reads of everything at its end included. */
export function checkHistory(operations: readonly Operation[]): Verdict[] {
  const of = (model: string): Operation[] => operations.filter((each) => each.model === model);
  return [
    ...linearizable("registers linearizable", REGISTER, of("register")),
    ...linearizable("counters linearizable", COUNTER, of("counter")),
    ...counters(of("counter")),
    ...lists(of("list")),
    ...sets(of("set")),
  ];
}

/** What a reply of a session says may be old; only its writes take part. */
function isFresh(operation: Operation): boolean {
  return operation.consistency === "linearizable" || isWrite(operation);
}

function linearizable<State>(
  checker: string,
  model: Model<State, Operation["call"], { readonly value: string | number | null }>,
  operations: readonly Operation[],
): Verdict[] {
  const keys = groupByKey(operations.filter(isFresh).map(checkedOperation));
  const found = [...keys].map(([key, ofKey]) => {
    return sentenceOf(key, ofKey, checkLinearizable(forgetUseless(ofKey), model));
  });
  return [inOne(checker, found)];
}

/** Reads that told nothing show nothing, and what failed did not happen. */
function forgetUseless(operations: readonly CheckedOperation[]): CheckedOperation[] {
  return operations.filter(({ outcome }) => outcome !== "fail");
}

interface Finding {
  readonly sentence: string | null;
  readonly isUndecided: boolean;
}

function sentenceOf(
  key: string,
  operations: readonly Checked<unknown, unknown>[],
  found: ReturnType<typeof checkLinearizable>,
): Finding {
  if (found.kind !== "violation")
    return { sentence: null, isUndecided: found.kind === "undecided" };
  const { client, input, output, outcome } = operations.filter((each) => each.outcome !== "fail")[
    found.operation
  ];
  const what = `${JSON.stringify(input)} of client ${client} (${outcome}, ${JSON.stringify(output)})`;
  return {
    sentence: `${key}: ${what} fits nowhere behind ${found.placed} others`,
    isUndecided: false,
  };
}

function inOne(checker: string, found: readonly Finding[]): Verdict {
  const violations = found.flatMap(({ sentence }) => (sentence === null ? [] : [sentence]));
  return verdict(
    checker,
    found.length,
    violations,
    found.filter((each) => each.isUndecided).length,
  );
}

function counters(operations: readonly Operation[]): Verdict[] {
  const checked = operations.filter(isFresh).map(checkedOperation).map(counterOperation);
  const keys = groupByKey(checked);
  const violations = [...keys].flatMap(([key, ofKey]) =>
    checkCounter(ofKey, null).map((problem) => `${key}: ${problem}`),
  );
  return [verdict("counters count once", keys.size, violations)];
}

function counterOperation(operation: CheckedOperation): Checked<CounterInput, CounterOutput> {
  const { input, output } = operation;
  return {
    ...operation,
    input: { kind: input.kind === "increment" ? "increment" : "read" },
    output: output === null ? null : { value: Number(output.value ?? 0) },
  };
}

function lists(operations: readonly Operation[]): Verdict[] {
  const all = operations.map(listOperation);
  const fresh = operations.filter(isFresh).map(listOperation);
  const orders = new Map([...groupByKey(all)].map(([key, ofKey]) => [key, longestRead(ofKey)]));
  const keys = groupByKey(fresh);
  const inTime = [...keys.values()].flatMap((ofKey) =>
    checkListAppend(ofKey.map(listTransaction)).map(({ kind, sentence }) => `${kind}: ${sentence}`),
  );
  const anyTime = checkListAppend(all.map(listTransaction), false);
  const sessions = checkSessions(all, orders);
  return [
    inOne(
      "lists linearizable",
      [...keys].map(([key, ofKey]) => listFinding(key, ofKey, orders.get(key)!)),
    ),
    verdict("lists strictly serializable", fresh.length, inTime),
    verdict(
      "lists serializable, all together",
      all.length,
      anyTime.map(({ kind, sentence }) => `${kind}: ${sentence}`),
    ),
    verdict(
      "sessions",
      new Set(all.map(({ connection }) => connection)).size,
      sessions.map(({ guarantee, sentence }) => `${guarantee}: ${sentence}`),
    ),
  ];
}

function listFinding(
  key: string,
  operations: readonly ListOperation[],
  order: readonly string[],
): Finding {
  const relevant = withoutUnseenAppends(operations, order);
  return sentenceOf(key, relevant, checkLinearizable(relevant, appendModel(order)));
}

/** One set of all elements; who reads everything at the end reads it once. */
function sets(operations: readonly Operation[]): Verdict[] {
  const adds = operations.filter(isWrite).map((operation): Checked<SetInput, SetOutput> => {
    const input = { kind: "add", element: operation.key } as const;
    return { ...checkedOperation(operation), input, output: null };
  });
  const readers = Map.groupBy(
    operations.filter((operation) => !isWrite(operation)),
    ({ connection }) => connection,
  );
  const reads = [...readers.values()].map((ofReader): Checked<SetInput, SetOutput> => {
    const there = ofReader.filter(({ result }) => result !== null);
    return {
      ...checkedOperation(ofReader[0]),
      endMs: ofReader.at(-1)!.returnedAt ?? Infinity,
      input: { kind: "read" },
      output: { elements: there.map(({ key }) => key) },
    };
  });
  const anomalies = checkSet([...adds, ...reads]);
  const sentences = anomalies.map(({ kind, element }) => `${element}: ${kind}`);
  return [verdict("set", adds.length, sentences)];
}
