import { Violation, type Invariant, type NodeFacts } from "./observer.ts";

/** applied <= commit <= last, and within one life of a node term, commit and applied never go back. */
export class SaneIndexes implements Invariant {
  readonly #before: Map<string, NodeFacts> = new Map();

  restarted(node: NodeFacts): void {
    const before = this.#before.get(node.name);
    if (before !== undefined && node.term < before.term && before.role === "leader") {
      throw new Violation(
        "sane indexes",
        `${node.name} led term ${before.term} and came back in ${node.term}`,
      );
    }
    this.#before.delete(node.name);
  }

  step(node: NodeFacts): void {
    if (node.appliedIndex > node.commitIndex || node.commitIndex > node.lastIndex) {
      throw new Violation(
        "sane indexes",
        `${node.name}: applied ${node.appliedIndex}, commit ${node.commitIndex}, last ${node.lastIndex}`,
      );
    }
    const before = this.#before.get(node.name);
    if (
      before !== undefined &&
      (node.term < before.term ||
        node.commitIndex < before.commitIndex ||
        node.appliedIndex < before.appliedIndex)
    ) {
      throw new Violation(
        "sane indexes",
        `${node.name} went back from ${JSON.stringify(before)} to ${JSON.stringify(node)}`,
      );
    }
    this.#before.set(node.name, node);
  }
}
