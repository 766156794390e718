import { Violation, type Invariant, type NodeFacts } from "./observer.ts";

/** At most one leader can be elected in a given term (paper, figure 3). */
export class ElectionSafety implements Invariant {
  readonly #leaders: Map<number, string> = new Map();

  becameLeader(node: NodeFacts): void {
    const other = this.#leaders.get(node.term);
    if (other !== undefined && other !== node.name) {
      throw new Violation(
        "election safety",
        `${other} and ${node.name} both lead term ${node.term}`,
      );
    }
    this.#leaders.set(node.term, node.name);
  }
}
