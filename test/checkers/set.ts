/** A set: elements are added, once each, and all are read now and then. */
import { isBefore, type Operation } from "./history.ts";

export type SetInput =
  | { readonly kind: "add"; readonly element: string }
  | { readonly kind: "read" };

export interface SetOutput {
  /** Of a read. */
  readonly elements: readonly string[];
}

export type SetAnomalyKind = "lost" | "stale" | "phantom" | "failed" | "duplicate" | "vanished";

export interface SetAnomaly {
  readonly kind: SetAnomalyKind;
  readonly element: string;
}

type SetOperation = Operation<SetInput, SetOutput>;

/**
 *   lost       acknowledged, and in no read that began behind that
 *   stale      acknowledged, missing in a read that began behind that, and there in a later one
 *   vanished   seen, and missing in a read that began behind the one that saw it, and in all behind that
 *   phantom    read and never added; failed: read although adding it failed for sure; duplicate: twice in one read
 *
 * All operations are on one set. Reads have to be linearizable ones.
 */
export function checkSet(operations: readonly SetOperation[]): SetAnomaly[] {
  const anomalies: SetAnomaly[] = [];
  const adds = new Map<string, SetOperation>();
  for (const operation of operations) {
    if (operation.input.kind === "add") adds.set(operation.input.element, operation);
  }
  const reads = operations
    .filter(({ input, outcome }) => input.kind === "read" && outcome === "ok")
    .map((read) => ({ read, elements: new Set(read.output!.elements) }))
    .sort((left, right) => left.read.startMs - right.read.startMs);
  const told = new Set<string>();
  const tell = (kind: SetAnomalyKind, element: string): void => {
    if (told.has(`${kind} ${element}`)) return;
    told.add(`${kind} ${element}`);
    anomalies.push({ kind, element });
  };
  for (const { read, elements } of reads) {
    if (elements.size !== read.output!.elements.length) {
      for (const element of twice(read.output!.elements)) tell("duplicate", element);
    }
    for (const element of elements) {
      const add = adds.get(element);
      if (add === undefined || isBefore(read, add)) tell("phantom", element);
      else if (add.outcome === "fail") tell("failed", element);
    }
  }
  for (const [element, add] of adds) {
    const fate = fateOf(element, add, reads);
    if (fate !== null) tell(fate, element);
  }
  return anomalies;
}

function fateOf(
  element: string,
  add: SetOperation,
  reads: readonly { readonly read: SetOperation; readonly elements: ReadonlySet<string> }[],
): SetAnomalyKind | null {
  /** From when on it has to be there: it was acknowledged, or somebody has seen it. */
  let knownMs = add.outcome === "ok" ? add.endMs : Infinity;
  const acknowledgedMs = knownMs;
  for (const { read, elements } of reads) {
    if (elements.has(element)) knownMs = Math.min(knownMs, read.endMs);
  }
  const missing = reads.filter(({ read, elements }) => {
    return read.startMs > knownMs && !elements.has(element);
  });
  if (missing.length === 0) return null;
  const lastMissingMs = missing.at(-1)!.read.startMs;
  const isBack = reads.some(({ read, elements }) => {
    return elements.has(element) && read.startMs > lastMissingMs;
  });
  if (isBack) return "stale";
  const wasSeen = reads.some(({ elements }) => elements.has(element));
  return wasSeen || acknowledgedMs === Infinity ? "vanished" : "lost";
}

function twice(elements: readonly string[]): string[] {
  return elements.filter((element, at) => elements.indexOf(element) !== at);
}
