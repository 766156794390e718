/** State machine safety: no two nodes apply different entries at the same index (figure 3), by snapshot or by log. */
import type { Entry, SnapshotMeta } from "../../../src/index.ts";
import { InvariantBroken } from "../observer.ts";
import type { Invariant } from "../observer.ts";
import type { TestNode } from "../../harness/test-node.ts";

export class StateMachineSafety implements Invariant {
  /** The state after each index, as the first node that got there had it. */
  readonly #states = new Map<number, string>();

  applied(node: TestNode, entry: Entry): void {
    this.#compare(node, entry.index, node.state);
  }

  installed(node: TestNode, meta: SnapshotMeta, state: string): void {
    this.#compare(node, meta.index, state);
  }

  #compare(node: TestNode, index: number, state: string): void {
    const known = this.#states.get(index);
    if (known !== undefined && known !== state) {
      throw new InvariantBroken("state machine safety", `${node.id} has another state at ${index}`);
    }
    this.#states.set(index, state);
  }
}
