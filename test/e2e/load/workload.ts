/** Something that clients write without pause, and that can tell afterwards whether the cluster kept what it had promised. */
import type { RespClient } from "../harness/resp-client.ts";
import type { Outcome } from "./outcome.ts";

export interface Workload {
  /** Writes once (or one pipeline) and waits for the outcome of each write. */
  step(client: RespClient): Promise<readonly Outcome[]>;
  /** Every promise that what the cluster holds now breaks, as sentences; none is good. */
  violations(client: RespClient): Promise<string[]>;
  /** Of the writes so far: how many had this outcome. */
  count(outcome: Outcome): number;
}

/** Counts outcomes. */
export class OutcomeCounts {
  readonly #counts: Record<Outcome, number> = { acknowledged: 0, refused: 0, unknown: 0 };

  add(outcome: Outcome): Outcome {
    this.#counts[outcome]++;
    return outcome;
  }

  of(outcome: Outcome): number {
    return this.#counts[outcome];
  }
}
