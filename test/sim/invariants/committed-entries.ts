import { Violation, type Invariant, type LogMirror, type NodeFacts } from "./observer.ts";

/**
 * State machine safety: no two nodes apply different entries at one index. Leader completeness: an entry that was
 * applied anywhere is in the log (or the snapshot) of every later leader (paper, figure 3).
 */
export class CommittedEntries implements Invariant {
  readonly #applied: Map<
    number,
    { readonly term: number; readonly sum: number; readonly by: string }
  > = new Map();
  #highest = 0;

  applied(
    node: NodeFacts,
    index: number,
    mark: { readonly term: number; readonly sum: number },
  ): void {
    const seen = this.#applied.get(index);
    if (seen === undefined) {
      this.#applied.set(index, { ...mark, by: node.name });
      this.#highest = Math.max(this.#highest, index);
    } else if (seen.term !== mark.term || seen.sum !== mark.sum) {
      throw new Violation(
        "state machine safety",
        `${seen.by} and ${node.name} applied different entries at ${index}`,
      );
    }
  }

  becameLeader(node: NodeFacts, log: LogMirror): void {
    for (let index = log.baseIndex + 1; index <= this.#highest; index++) {
      const committed = this.#applied.get(index);
      if (committed === undefined) continue;
      const held = log.marks.get(index);
      if (held === undefined || held.term !== committed.term || held.sum !== committed.sum) {
        throw new Violation(
          "leader completeness",
          `${node.name}, term ${node.term}, lacks committed entry ${index}`,
        );
      }
    }
  }
}
