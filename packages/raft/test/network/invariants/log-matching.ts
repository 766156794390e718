/**
 * Log matching: if two logs have an entry with the same index and term, they are identical up to it (figure 3).
 * Checked by induction: an entry of some index and term always has the same data and the same predecessor.
 */
import type { Entry } from "../../../src/index.ts";
import { InvariantBroken } from "../observer.ts";
import type { Invariant } from "../observer.ts";
import type { TestNode } from "../../harness/test-node.ts";
import { textOf } from "../../harness/options.ts";

export class LogMatching implements Invariant {
  readonly #known = new Map<string, string>();

  appended(node: TestNode, entries: readonly Entry[]): void {
    for (const entry of entries) {
      const name = `${entry.index}.${entry.term}`;
      const before = node.termAt(entry.index - 1);
      const content = `${entry.kind}|${textOf(entry.data)}|behind term ${before}`;
      const known = this.#known.get(name);
      if (known !== undefined && known !== content) {
        throw new InvariantBroken("log matching", `${name} is "${known}" and "${content}"`);
      }
      this.#known.set(name, content);
    }
  }
}
