/**
 * Transactions on lists, after Elle (Kingsbury and Alvaro, 2020): because every element is unlike any other and a read shows the
 * whole list, reads tell in which order the appends took effect, and with that who depends on whom. Names of anomalies are those of
 * Adya (1999): G0 dirty write, G1a aborted read, G1b intermediate read, G1c circular information flow, G-single read skew,
 * G2 anti-dependency cycle; "-realtime" when it needs the order in time to be a cycle (strict serializability).
 */
import { DependencyGraph, type Dependency, type DependencyKind } from "./dependency-graph.ts";
import type { ListTransaction } from "./history.ts";
import { addTimeOrder } from "./time-order.ts";

export type ListAnomalyKind =
  | "internal"
  | "phantom"
  | "duplicate"
  | "incompatible order"
  | "G1a"
  | "G1b"
  | "lost update"
  | "G0"
  | "G1c"
  | "G-single"
  | "G2"
  | "G0-realtime"
  | "G1c-realtime"
  | "G-single-realtime"
  | "G2-realtime";

export interface ListAnomaly {
  readonly kind: ListAnomalyKind;
  readonly sentence: string;
  /** Positions in the history. */
  readonly transactions: readonly number[];
}

interface Append {
  readonly by: number;
  /** Whether the same transaction appends to this list again, later. */
  readonly isIntermediate: boolean;
}

interface Read {
  readonly by: number;
  readonly elements: readonly string[];
  /** Elements that are there without those that the same transaction had appended before. */
  readonly foundLength: number;
}

/** `realtime` false: serializability only, which lets a transaction see a past that is over. */
export function checkListAppend(
  transactions: readonly ListTransaction[],
  realtime = true,
): ListAnomaly[] {
  return new ListAppendCheck(transactions, realtime).run();
}

class ListAppendCheck {
  readonly #transactions: readonly ListTransaction[];
  readonly #realtime: boolean;
  readonly #anomalies: ListAnomaly[] = [];
  /** By key, then by element. */
  readonly #appends: Map<string, Map<string, Append>> = new Map();
  readonly #reads: Map<string, Read[]> = new Map();

  constructor(transactions: readonly ListTransaction[], realtime: boolean) {
    this.#transactions = transactions;
    this.#realtime = realtime;
  }

  run(): ListAnomaly[] {
    for (const [at, transaction] of this.#transactions.entries()) this.#gather(at, transaction);
    const graph = new DependencyGraph();
    for (const key of new Set([...this.#appends.keys(), ...this.#reads.keys()])) {
      this.#connect(graph, key, this.#order(key));
    }
    if (this.#realtime) addTimeOrder(graph, this.#transactions);
    this.#findCycles(graph);
    return this.#anomalies;
  }

  #report(kind: ListAnomalyKind, sentence: string, transactions: readonly number[]): void {
    this.#anomalies.push({ kind, sentence, transactions });
  }

  #gather(at: number, { steps, outcome }: ListTransaction): void {
    /** What this transaction has appended to each list so far, and what it has seen of it. */
    const own = new Map<string, string[]>();
    const seen = new Map<string, readonly string[]>();
    for (const [position, step] of steps.entries()) {
      const { key } = step;
      if (step.kind === "append") {
        const isIntermediate = steps
          .slice(position + 1)
          .some((later) => later.kind === "append" && later.key === key);
        appendsOf(this.#appends, key).set(step.element, { by: at, isIntermediate });
        own.set(key, [...(own.get(key) ?? []), step.element]);
        continue;
      }
      if (outcome !== "ok" || step.elements === null) continue;
      this.#checkInternal(at, step.elements, { key, own: own.get(key), seen: seen.get(key) });
      const foundLength = step.elements.length - (own.get(key)?.length ?? 0);
      seen.set(key, step.elements.slice(0, foundLength));
      const reads = this.#reads.get(key) ?? [];
      reads.push({ by: at, elements: step.elements, foundLength });
      this.#reads.set(key, reads);
    }
  }

  /** A transaction sees its own appends at the end, and before them what it has seen before. */
  #checkInternal(
    at: number,
    elements: readonly string[],
    before: {
      readonly key: string;
      readonly own: readonly string[] | undefined;
      readonly seen: readonly string[] | undefined;
    },
  ): void {
    const own = before.own ?? [];
    const head = elements.slice(0, elements.length - own.length);
    const endsWithOwn = own.every((element, index) => elements[head.length + index] === element);
    const seen = before.seen ?? head;
    const isAsBefore = seen.length === head.length && isPrefix(seen, head);
    if (endsWithOwn && isAsBefore) return;
    this.#report(
      "internal",
      `${before.key}: a transaction reads [${elements.join(" ")}] behind its own steps`,
      [at],
    );
  }

  /**
   * The order in which the appends took effect: the longest read, of which every other one is a beginning. What is to be said of
   * elements is said of it and of reads that are none.
   */
  #order(key: string): readonly string[] {
    const reads = this.#reads.get(key) ?? [];
    let longest: Read = { by: -1, elements: [], foundLength: 0 };
    for (const read of reads) if (read.elements.length > longest.elements.length) longest = read;
    const toldOf = new Set<string>();
    this.#checkElements(key, longest, toldOf);
    let isTold = false;
    for (const read of reads) {
      this.#checkEnd(key, read);
      if (isPrefix(read.elements, longest.elements)) continue;
      this.#checkElements(key, read, toldOf);
      if (isTold) continue;
      isTold = true;
      this.#report(
        "incompatible order",
        `${key}: [${read.elements.join(" ")}] is no beginning of [${longest.elements.join(" ")}]`,
        [read.by, longest.by],
      );
    }
    return longest.elements;
  }

  #checkElements(key: string, { by, elements }: Read, toldOf: Set<string>): void {
    if (new Set(elements).size !== elements.length)
      this.#report("duplicate", `${key}: [${elements.join(" ")}] shows an element twice`, [by]);
    const appends = appendsOf(this.#appends, key);
    for (const element of elements) {
      if (toldOf.has(element)) continue;
      const append = appends.get(element);
      if (append === undefined) {
        this.#report("phantom", `${key}: ${element} was never appended`, [by]);
      } else if (this.#transactions[append.by].outcome === "fail") {
        const both = [append.by, by];
        this.#report("G1a", `${key}: ${element} was read, and its transaction failed`, both);
      } else continue;
      toldOf.add(element);
    }
  }

  #checkEnd(key: string, { by, elements }: Read): void {
    const end = elements.at(-1);
    const last = end === undefined ? undefined : appendsOf(this.#appends, key).get(end);
    if (last === undefined || !last.isIntermediate || last.by === by) return;
    this.#report("G1b", `${key}: ${end} was read in the middle of a transaction`, [last.by, by]);
  }

  #connect(graph: DependencyGraph, key: string, order: readonly string[]): void {
    const appends = appendsOf(this.#appends, key);
    const writers = order.map((element) => appends.get(element)?.by ?? -1);
    for (let at = 1; at < writers.length; at++) {
      const [from, to] = [writers[at - 1], writers[at]];
      if (from >= 0 && to >= 0) graph.add({ from, to, kind: "ww", key });
    }
    const unseen = this.#unseenAppends(key, order);
    const readers = new Map<number, number[]>();
    for (const { by, elements, foundLength } of this.#reads.get(key) ?? []) {
      if (!isPrefix(elements, order)) continue;
      const from = writers[elements.length - 1] ?? -1;
      if (elements.length > 0 && from >= 0) graph.add({ from, to: by, kind: "wr", key });
      const next = writers[elements.length];
      // An append that no read shows came behind all that they show.
      const overwriters = next === undefined ? unseen : [next];
      for (const to of overwriters) if (to >= 0) graph.add({ from: by, to, kind: "rw", key });
      const same = readers.get(foundLength) ?? [];
      same.push(by);
      readers.set(foundLength, same);
    }
    this.#checkLostUpdates(key, readers);
  }

  #unseenAppends(key: string, order: readonly string[]): number[] {
    const seen = new Set(order);
    return [...appendsOf(this.#appends, key)]
      .filter(([element, { by }]) => {
        return !seen.has(element) && this.#transactions[by].outcome === "ok";
      })
      .map(([, { by }]) => by);
  }

  /** Two that read the same list and both appended to it: one of them did not know of the other. */
  #checkLostUpdates(key: string, readers: ReadonlyMap<number, readonly number[]>): void {
    for (const [length, same] of readers) {
      const writers = [...new Set(same)].filter((at) => {
        return this.#transactions[at].steps.some(
          (step) => step.kind === "append" && step.key === key,
        );
      });
      if (writers.length > 1)
        this.#report(
          "lost update",
          `${key}: ${writers.length} transactions read its first ${length} elements and appended behind them`,
          writers,
        );
    }
  }

  #findCycles(graph: DependencyGraph): void {
    const plain: readonly DependencyKind[] = ["ww", "wr", "rw"];
    const isFound = this.#findCyclesOf(graph, plain, "");
    if (this.#realtime && !isFound) this.#findCyclesOf(graph, [...plain, "rt"], "-realtime");
  }

  /** The strongest anomaly first; weaker ones hold the stronger in them and are not told again. */
  #findCyclesOf(
    graph: DependencyGraph,
    kinds: readonly DependencyKind[],
    suffix: "" | "-realtime",
  ): boolean {
    const without = (...left: readonly DependencyKind[]): ReadonlySet<DependencyKind> =>
      new Set(kinds.filter((kind) => !left.includes(kind)));
    const classes = [
      { kind: "G0", allowed: without("wr", "rw"), rwMax: 0 },
      { kind: "G1c", allowed: without("rw"), rwMax: 0 },
      { kind: "G-single", allowed: without(), rwMax: 1 },
      { kind: "G2", allowed: without(), rwMax: Infinity },
    ] as const;
    for (const { kind, allowed, rwMax } of classes) {
      const cycles = graph.cycles(allowed, (cycle) => {
        return cycle.filter((edge) => edge.kind === "rw").length <= rwMax;
      });
      for (const cycle of cycles) {
        this.#report(
          `${kind}${suffix}`,
          cycle.map(describe).join(", "),
          cycle.map(({ from }) => from),
        );
      }
      if (cycles.length > 0) return true;
    }
    return false;
  }
}

function describe({ from, to, kind, key }: Dependency): string {
  return kind === "rt" ? `${from} before ${to}` : `${from} ${kind} ${to} (${key})`;
}

function appendsOf(appends: Map<string, Map<string, Append>>, key: string): Map<string, Append> {
  let ofKey = appends.get(key);
  if (ofKey === undefined) {
    ofKey = new Map();
    appends.set(key, ofKey);
  }
  return ofKey;
}

function isPrefix(short: readonly string[], long: readonly string[]): boolean {
  return short.length <= long.length && short.every((element, at) => long[at] === element);
}
