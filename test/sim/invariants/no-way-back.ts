import { Violation, type Invariant, type NodeFacts } from "./observer.ts";

/** R21: a node never answers reads from a state older than one it has answered from, restarts included. */
export class NoWayBack implements Invariant {
  readonly #shown: Map<string, number> = new Map();

  step(node: NodeFacts): void {
    if (!node.servesReads) return;
    const shown = this.#shown.get(node.name) ?? 0;
    if (node.appliedIndex < shown) {
      throw new Violation(
        "no way back",
        `${node.name} answers reads at ${node.appliedIndex}, it has done so at ${shown}`,
      );
    }
    this.#shown.set(node.name, node.appliedIndex);
  }
}
