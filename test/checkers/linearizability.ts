/**
 * Whether there is an order of all operations of one key that a single, sequential object could have gone through, in which
 * everything lies between its start and its end. Wing and Gong's search (1993) with Lowe's memory of what was tried (2017), as in
 * porcupine: depth first over operations that may come next; a pair of "done so far" and "state" is looked at once.
 *
 * What failed is left out. What has no known outcome may come anywhere behind its start, with any answer: at the very end it is as
 * if it had never happened.
 */
import type { Operation } from "./history.ts";

/** A sequential object. States are compared by their text. */
export interface Model<State, Input, Output> {
  readonly initial: State;
  /** The state behind it, or null when the answer can not be. `output` null: any answer is good. */
  step(state: State, input: Input, output: Output | null): State | null;
  describe(state: State): string;
}

export type Verdict =
  | { readonly kind: "linearizable" }
  /** `operation` is the position of the first one that could not be placed, in the search that got furthest. */
  | { readonly kind: "violation"; readonly operation: number; readonly placed: number }
  /** The bound was reached. */
  | { readonly kind: "undecided"; readonly looks: number };

export const LOOKS_MAX_DEFAULT = 1_000_000;

/** A call or a return, in a list in order of time from which pairs are taken out and put back. */
class Event {
  previous: Event | null = null;
  next: Event | null = null;
  /** The return of a call; null of a return. */
  match: Event | null = null;
  readonly at: number;
  constructor(at: number) {
    this.at = at;
  }
}

/** `looksMax` bounds the operations that are tried, in all orders together. */
export function checkLinearizable<State, Input, Output>(
  operations: readonly Operation<Input, Output>[],
  model: Model<State, Input, Output>,
  looksMax: number = LOOKS_MAX_DEFAULT,
): Verdict {
  const known = operations.flatMap((operation, at) => (operation.outcome === "fail" ? [] : [at]));
  const head = eventsInOrder(operations, known);
  const done = new Done(operations.length);
  const seen = new Set<string>();
  const path: { readonly call: Event; readonly state: State }[] = [];
  let state = model.initial;
  let looks = 0;
  let furthest = { placed: -1, operation: known[0] ?? 0 };
  let event = head.next;
  while (event !== null) {
    if (event.match !== null) {
      if (++looks > looksMax) return { kind: "undecided", looks };
      const { input, output, outcome } = operations[event.at];
      const next = model.step(state, input, outcome === "ok" ? output : null);
      if (next !== null && isNew(seen, done, event.at, model.describe(next))) {
        path.push({ call: event, state });
        done.add(event.at);
        state = next;
        takeOut(event);
        event = head.next;
      } else {
        event = event.next;
      }
      continue;
    }
    // An operation ends here that has not been placed: what came before was wrong.
    if (path.length > furthest.placed) furthest = { placed: path.length, operation: event.at };
    const last = path.pop();
    if (last === undefined) return { kind: "violation", ...furthest };
    done.remove(last.call.at);
    state = last.state;
    putBack(last.call);
    event = last.call.next;
  }
  return { kind: "linearizable" };
}

function isNew(seen: Set<string>, done: Done, at: number, state: string): boolean {
  const place = `${done.with(at)} ${state}`;
  if (seen.has(place)) return false;
  seen.add(place);
  return true;
}

function eventsInOrder(
  operations: readonly Operation<unknown, unknown>[],
  known: readonly number[],
): Event {
  const moments = known.flatMap((at) => {
    const { startMs, endMs, outcome } = operations[at];
    const call = new Event(at);
    const end = new Event(at);
    call.match = end;
    return [
      { atMs: startMs, isEnd: false, event: call },
      { atMs: outcome === "ok" ? endMs : Infinity, isEnd: true, event: end },
    ];
  });
  // In the same moment calls come first: they are beside what ends there.
  moments.sort((left, right) =>
    left.atMs === right.atMs ? Number(left.isEnd) - Number(right.isEnd) : left.atMs - right.atMs,
  );
  const head = new Event(-1);
  let last = head;
  for (const { event } of moments) {
    last.next = event;
    event.previous = last;
    last = event;
  }
  return head;
}

function takeOut(call: Event): void {
  for (const event of [call, call.match!]) {
    event.previous!.next = event.next;
    if (event.next !== null) event.next.previous = event.previous;
  }
}

function putBack(call: Event): void {
  for (const event of [call.match!, call]) {
    event.previous!.next = event;
    if (event.next !== null) event.next.previous = event;
  }
}

/** Which operations are placed: all up to one, and some behind it. */
class Done {
  readonly #bits: Uint32Array;

  constructor(count: number) {
    this.#bits = new Uint32Array((count >>> 5) + 1);
  }

  add(at: number): void {
    this.#bits[at >>> 5] |= 1 << (at & 31);
  }

  remove(at: number): void {
    this.#bits[at >>> 5] &= ~(1 << (at & 31));
  }

  /** As text, with one more. Words that are full at the front are only counted. */
  with(at: number): string {
    this.add(at);
    let full = 0;
    while (full < this.#bits.length && this.#bits[full] === 0xffffffff) full++;
    let end = this.#bits.length;
    while (end > full && this.#bits[end - 1] === 0) end--;
    const text = `${full}:${this.#bits.subarray(full, end).join(",")}`;
    this.remove(at);
    return text;
  }
}
