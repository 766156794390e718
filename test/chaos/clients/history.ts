/** Everything that the clients of a run asked for, in the order of their calls, and when it came back. */
import type { Operation, OperationOutcome } from "./operation.ts";

export type Asked = Omit<
  Operation,
  "calledAt" | "returnedAt" | "calledMs" | "returnedMs" | "outcome" | "result"
>;

export class History {
  readonly operations: Operation[] = [];
  readonly #startedMs: number = performance.now();
  #events = 0;

  /** Milliseconds since the run began. */
  nowMs(): number {
    return performance.now() - this.#startedMs;
  }

  /** To be said before the request is sent. What never returns is unknown. */
  called(asked: Asked): Operation {
    const operation: Operation = {
      ...asked,
      calledAt: this.#events++,
      returnedAt: null,
      calledMs: this.nowMs(),
      returnedMs: null,
      outcome: "unknown",
      result: null,
    };
    this.operations.push(operation);
    return operation;
  }

  /** To be said when the reply has come, or when none will. */
  returned(
    operation: Operation,
    outcome: OperationOutcome,
    result: string | number | null = null,
  ): void {
    // What may still happen has no end.
    if (outcome !== "unknown") operation.returnedAt = this.#events++;
    operation.returnedMs = this.nowMs();
    operation.outcome = outcome;
    operation.result = result;
  }

  count(outcome: OperationOutcome): number {
    return this.operations.filter((operation) => operation.outcome === outcome).length;
  }
}
