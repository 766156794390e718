/** Leader append-only: a leader never overwrites or deletes entries in its log (figure 3). */
import { InvariantBroken } from "../observer.ts";
import type { Invariant } from "../observer.ts";
import type { TestNode } from "../../harness/test-node.ts";

export class LeaderAppendOnly implements Invariant {
  /** Per node: its last index when it was seen leading, and in which term. */
  readonly #seen = new Map<string, { readonly term: number; readonly lastIndex: number }>();

  appended(node: TestNode, entries: readonly { readonly index: number }[]): void {
    const seen = this.#seen.get(node.id);
    const leads = node.core.role() === "leader" && node.core.term() === seen?.term;
    const first = entries[0]?.index ?? Infinity;
    if (leads && first <= seen.lastIndex) {
      throw new InvariantBroken("leader append-only", `${node.id} rewrote ${first} while leading`);
    }
  }

  stepped(node: TestNode): void {
    if (node.core.role() === "leader") {
      this.#seen.set(node.id, { term: node.core.term(), lastIndex: node.core.lastIndex() });
    } else {
      this.#seen.delete(node.id);
    }
  }
}
