import type { Entry } from "@ferrite/raft";
import { Violation, type Invariant, type LogMirror, type NodeFacts } from "./observer.ts";

/** A leader never overwrites or deletes entries in its log; it only appends (paper, figure 3). */
export class LeaderAppendOnly implements Invariant {
  logWritten(node: NodeFacts, log: LogMirror, entries: readonly Entry[]): void {
    const first = entries[0];
    if (node.role !== "leader" || first === undefined) return;
    if (first.index <= log.lastIndex && first.term === node.term) {
      throw new Violation(
        "leader append-only",
        `${node.name} writes ${first.index} over its log's ${log.lastIndex}`,
      );
    }
  }
}
