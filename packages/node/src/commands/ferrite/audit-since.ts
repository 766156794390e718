import type { EdgeCommand } from "../command.ts";
import type { EdgeContext } from "../../server/edge-context.ts";
import { SYNTAX_ERROR } from "../error-texts.ts";
import { COUNT_DEFAULT, COUNT_RANGE, readCount, replyPage, SEQUENCE_RANGE } from "./audit-page.ts";

/** FERRITE.AUDIT SINCE sequence [COUNT count]: what was recorded after that record, oldest first. */
export const auditSince: EdgeCommand = {
  kind: "edge",
  name: "ferrite.audit|since",
  summary: "Return the records of this node's audit trail that come after one",
  complexity: "O(N) where N is the number of records returned",
  since: "0.1.0",
  group: "ferrite",
  arity: -3,
  flags: ["admin", "noscript", "loading", "stale"],
  categories: ["admin", "slow", "dangerous"],
  keySpecs: [],
  arguments: [
    { name: "sequence", type: "integer" },
    { name: "count", type: "integer", token: "COUNT", flags: ["optional"] },
  ],
  tips: ["nondeterministic_output"],
  run: runSince,
};

function runSince(context: EdgeContext): void {
  const { argv, reply } = context;
  const hasCount = argv.count === 5 && argv.isWord(3, "COUNT");
  if (argv.count !== 3 && !hasCount) return reply.error(SYNTAX_ERROR);
  const after = readCount(context, 2, SEQUENCE_RANGE);
  if (after === null) return undefined;
  const count = hasCount ? readCount(context, 4, COUNT_RANGE) : COUNT_DEFAULT;
  if (count === null) return undefined;
  return replyPage(context, (log, done) => {
    let isWanted = true;
    log.since(after, count, (page) => {
      if (isWanted) done(page);
    });
    return () => {
      isWanted = false;
    };
  });
}
