/** Linearizable reads (section 8): a read sees everything that was committed anywhere when it was asked for. */
import { InvariantBroken } from "../observer.ts";
import type { Invariant } from "../observer.ts";
import type { TestNode } from "../../harness/test-node.ts";

export class ReadFreshness implements Invariant {
  #committedAnywhere = 0;
  readonly #asked = new Map<number, number>();

  stepped(node: TestNode): void {
    this.#committedAnywhere = Math.max(this.#committedAnywhere, node.core.commitIndex());
  }

  asked(requestId: number): void {
    this.#asked.set(requestId, this.#committedAnywhere);
  }

  confirmed(requestId: number, index: number): void {
    const least = this.#asked.get(requestId);
    if (least === undefined) {
      throw new InvariantBroken("read freshness", `read ${requestId} was never asked for`);
    }
    if (index < least) {
      throw new InvariantBroken(
        "read freshness",
        `read at ${index} misses what ${least} acknowledged`,
      );
    }
  }
}
