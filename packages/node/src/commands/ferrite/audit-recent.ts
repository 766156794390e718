import type { EdgeCommand } from "../command.ts";
import type { EdgeContext } from "../../server/edge-context.ts";
import { COUNT_RANGE, readCount, replyPage } from "./audit-page.ts";

/** FERRITE.AUDIT RECENT count: the newest records, newest first (F89). */
export const auditRecent: EdgeCommand = {
  kind: "edge",
  name: "ferrite.audit|recent",
  summary: "Return the newest records of this node's audit trail",
  complexity: "O(N) where N is the number of records returned",
  since: "0.1.0",
  group: "ferrite",
  arity: 3,
  flags: ["admin", "noscript", "loading", "stale"],
  categories: ["admin", "slow", "dangerous"],
  keySpecs: [],
  arguments: [{ name: "count", type: "integer" }],
  tips: ["nondeterministic_output"],
  run: runRecent,
};

function runRecent(context: EdgeContext): void {
  const count = readCount(context, 2, COUNT_RANGE);
  if (count === null) return;
  replyPage(context, (log, done) => {
    let isWanted = true;
    log.newest(count, (page) => {
      if (isWanted) done(page);
    });
    return () => {
      isWanted = false;
    };
  });
}
