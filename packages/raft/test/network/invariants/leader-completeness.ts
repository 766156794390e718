/** Leader completeness: an entry committed in a term is in the logs of the leaders of all later terms (figure 3). */
import { InvariantBroken } from "../observer.ts";
import type { Invariant } from "../observer.ts";
import type { TestNode } from "../../harness/test-node.ts";

export class LeaderCompleteness implements Invariant {
  /** Per index: the entry's term, and the term of the leader that committed it. */
  readonly #committed: { readonly entryTerm: number; readonly inTerm: number }[] = [];
  readonly #checkedTerm = new Map<string, number>();

  stepped(node: TestNode): void {
    if (node.core.role() !== "leader") {
      return;
    }
    const term = node.core.term();
    if (this.#checkedTerm.get(node.id) !== term) {
      this.#checkedTerm.set(node.id, term);
      this.#check(node, term);
    }
    for (let index = this.#committed.length + 1; index <= node.core.commitIndex(); index += 1) {
      this.#committed.push({ entryTerm: node.termAt(index) ?? 0, inTerm: term });
    }
  }

  #check(node: TestNode, term: number): void {
    for (let index = node.mirrorStart + 1; index <= this.#committed.length; index += 1) {
      const entry = this.#committed[index - 1];
      if (entry === undefined || entry.inTerm >= term || entry.entryTerm === 0) {
        continue;
      }
      if (node.termAt(index) !== entry.entryTerm) {
        throw new InvariantBroken(
          "leader completeness",
          `${node.id} leads term ${term} without ${index}.${entry.entryTerm}`,
        );
      }
    }
  }
}
