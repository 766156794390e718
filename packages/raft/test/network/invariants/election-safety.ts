/** Election safety: at most one leader can be elected in a given term (figure 3). */
import { InvariantBroken } from "../observer.ts";
import type { Invariant } from "../observer.ts";
import type { TestNode } from "../../harness/test-node.ts";

export class ElectionSafety implements Invariant {
  readonly #leaders = new Map<number, string>();

  stepped(node: TestNode): void {
    if (node.core.role() !== "leader") {
      return;
    }
    const term = node.core.term();
    const known = this.#leaders.get(term);
    if (known !== undefined && known !== node.id) {
      throw new InvariantBroken("election safety", `${known} and ${node.id} lead term ${term}`);
    }
    this.#leaders.set(term, node.id);
  }
}
