/** Lease reads (thesis, section 6.4.1): who has a lease knows of everything that is committed anywhere. */
import { InvariantBroken } from "../observer.ts";
import type { Invariant } from "../observer.ts";
import type { TestNode } from "../../harness/test-node.ts";

export class LeaseFreshness implements Invariant {
  readonly #holders = new Set<TestNode>();
  #committedAnywhere = 0;
  /** How often a node was seen with a lease. */
  seen = 0;

  stepped(node: TestNode): void {
    this.#committedAnywhere = Math.max(this.#committedAnywhere, node.core.commitIndex());
    this.#holders.add(node);
    for (const holder of this.#holders) {
      if (holder.up && holder.core.leaseTicksLeft() > 0) {
        this.#check(holder);
      }
    }
  }

  #check(holder: TestNode): void {
    this.seen += 1;
    if (holder.core.commitIndex() < this.#committedAnywhere) {
      throw new InvariantBroken(
        "lease freshness",
        `${holder.id} has a lease at ${holder.core.commitIndex()}, ${this.#committedAnywhere} is committed`,
      );
    }
  }
}
