/** A leader appends a configuration only when it knows that the one before is committed (thesis, 4.1 and 4.3). */
import { EntryKind, type Entry } from "@ferrite/raft";
import { Violation, type Invariant, type LogMirror, type NodeFacts } from "./observer.ts";

export class OneChangeAtATime implements Invariant {
  logWritten(node: NodeFacts, log: LogMirror, entries: readonly Entry[]): void {
    if (node.role !== "leader") return;
    for (const { kind, index, term } of entries) {
      if (kind !== EntryKind.Configuration || term !== node.term) continue;
      for (let at = node.commitIndex + 1; at < index; at++) {
        const isOpen =
          log.marks.get(at)?.kind === EntryKind.Configuration ||
          entries.some((entry) => entry.index === at && entry.kind === EntryKind.Configuration);
        if (isOpen)
          throw new Violation(
            "one change at a time",
            `${node.name} appends a configuration at ${index} while the one at ${at} is not committed`,
          );
      }
    }
  }
}
