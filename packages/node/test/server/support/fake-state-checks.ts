/** A comparison of states that ends as a test wants it. */
import type { StateChecksView } from "../../../src/repair/state-checks.ts";
import type { StateVerdict } from "../../../src/repair/state-verdict.ts";

export class FakeStateChecks implements StateChecksView {
  verdict: StateVerdict | null = null;
  /** What a check comes to, at once. */
  outcome: StateVerdict | string = "CLUSTERDOWN no leader";

  check(done: (verdict: StateVerdict | string) => void): void {
    if (typeof this.outcome !== "string") this.verdict = this.outcome;
    done(this.outcome);
  }
}
