/** What the invariants are told, after every single step of a random network. */
import type { Entry, SnapshotMeta } from "../../src/index.ts";
import type { TestNode } from "../harness/test-node.ts";

/** One of the safety properties of figure 3 of the paper. Throws when it does not hold. */
export interface Invariant {
  appended?(node: TestNode, entries: readonly Entry[]): void;
  applied?(node: TestNode, entry: Entry): void;
  installed?(node: TestNode, meta: SnapshotMeta, state: string): void;
  /** A node did something; its role, term and commit index may be new. */
  stepped?(node: TestNode): void;
}

export class InvariantBroken extends Error {
  constructor(property: string, detail: string) {
    super(`${property}: ${detail}`);
    this.name = "InvariantBroken";
  }
}
