/** A refusal is definite (R06): a proposal that was not accepted is in nobody's log, ever. */
import type { Entry } from "../../../src/index.ts";
import { InvariantBroken } from "../observer.ts";
import type { Invariant } from "../observer.ts";
import type { TestNode } from "../../harness/test-node.ts";
import { textOf } from "../../harness/options.ts";

export class RefusedStaysOut implements Invariant {
  readonly #refused = new Set<string>();

  refused(value: string): void {
    this.#refused.add(value);
  }

  appended(node: TestNode, entries: readonly Entry[]): void {
    const wrong = entries.find((entry) => this.#refused.has(textOf(entry.data)));
    if (wrong !== undefined) {
      throw new InvariantBroken("refused stays out", `${node.id} has ${wrong.index}.${wrong.term}`);
    }
  }
}
