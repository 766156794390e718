/** One thing that a client asked for, and what it was told. */

/** Which promise a key is for; each has a checker of its own. */
export type Model = "register" | "list" | "counter" | "set";

export type Call =
  | { readonly kind: "read" }
  /** SET; every value of a run is written once. */
  | { readonly kind: "write"; readonly value: string }
  /** GETSET: the reply is what was there. */
  | { readonly kind: "swap"; readonly value: string }
  /** APPEND of a token and a comma. */
  | { readonly kind: "append"; readonly token: string }
  /** INCR */
  | { readonly kind: "increment" }
  /** SET of a key that is the element. */
  | { readonly kind: "add" };

export type Consistency = "session" | "linearizable";

/**
 * - ok: it happened, once;
 * - fail: it did not happen and never will (a read: it told nothing);
 * - unknown: it happened once or not at all, now or later.
 */
export type OperationOutcome = "ok" | "fail" | "unknown";

export interface Operation {
  readonly client: number;
  /** Counts the connections of all clients: what a session promises ends with its connection. */
  readonly connection: number;
  readonly node: number;
  readonly consistency: Consistency;
  readonly model: Model;
  readonly key: string;
  readonly call: Call;
  /** Places in the order of all calls and returns of a run. */
  readonly calledAt: number;
  returnedAt: number | null;
  /** Milliseconds since the run began. */
  readonly calledMs: number;
  returnedMs: number | null;
  outcome: OperationOutcome;
  /** What the reply said, when it came and was no error. */
  result: string | number | null;
}

export function isWrite(operation: Operation): boolean {
  return operation.call.kind !== "read";
}
