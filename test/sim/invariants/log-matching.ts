import type { Entry } from "@ferrite/raft";
import {
  Violation,
  type EntryMark,
  type Invariant,
  type LogMirror,
  type NodeFacts,
} from "./observer.ts";

/**
 * If two logs hold an entry with the same index and term, they are identical up to it (paper, figure 3). By
 * induction it is enough that such entries have the same contents and follow an entry of the same term.
 */
export class LogMatching implements Invariant {
  readonly #seen: Map<string, { readonly sum: number; previousTerm: number; readonly by: string }> =
    new Map();

  logWritten(
    node: NodeFacts,
    _log: LogMirror,
    entries: readonly Entry[],
    marks: readonly EntryMark[],
  ): void {
    for (const [position, entry] of entries.entries()) {
      const mark = marks[position];
      const key = `${entry.index}.${entry.term}`;
      const seen = this.#seen.get(key);
      if (seen === undefined) {
        this.#seen.set(key, { sum: mark.sum, previousTerm: mark.previousTerm, by: node.name });
        continue;
      }
      const differs = seen.sum !== mark.sum;
      const forks =
        seen.previousTerm >= 0 && mark.previousTerm >= 0 && seen.previousTerm !== mark.previousTerm;
      if (differs || forks) {
        throw new Violation(
          "log matching",
          `${seen.by} and ${node.name} differ at ${entry.index}, term ${entry.term}`,
        );
      }
      if (seen.previousTerm < 0) seen.previousTerm = mark.previousTerm;
    }
  }
}
