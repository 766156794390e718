/** A member's side of settling: tells the leader as soon as it has applied what it was asked for. */
import type { Index, NodeId } from "@ferrite/raft";

export class AppliedReports {
  /** One question a node: the newest is what it wants to know. */
  readonly #wanted: Map<NodeId, Index> = new Map();
  readonly #answer: (to: NodeId, appliedIndex: Index) => void;

  constructor(answer: (to: NodeId, appliedIndex: Index) => void) {
    this.#answer = answer;
  }

  asked(from: NodeId, index: Index): void {
    this.#wanted.set(from, index);
  }

  check(appliedIndex: Index): void {
    for (const [from, index] of this.#wanted) {
      if (index > appliedIndex) continue;
      this.#wanted.delete(from);
      this.#answer(from, appliedIndex);
    }
  }
}
