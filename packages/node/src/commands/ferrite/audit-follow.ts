import type { EdgeCommand } from "../command.ts";
import type { EdgeContext } from "../../server/edge-context.ts";
import { COUNT_DEFAULT, readCount, replyPage, SEQUENCE_RANGE } from "./audit-page.ts";

const TIMEOUT_MS_DEFAULT = 30_000;
const TIMEOUT_RANGE = { min: 1, max: 300_000 } as const;

/**
 * FERRITE.AUDIT FOLLOW sequence [timeout-ms]: like SINCE, but waits until there is a record. Whoever follows asks again
 * with the sequence of the last record it got: nothing is missed when the connection breaks, as it would be in a stream.
 */
export const auditFollow: EdgeCommand = {
  kind: "edge",
  name: "ferrite.audit|follow",
  summary: "Wait for records of this node's audit trail that come after one",
  complexity: "O(N) where N is the number of records returned",
  since: "0.1.0",
  group: "ferrite",
  arity: -3,
  flags: ["admin", "noscript", "blocking", "loading", "stale"],
  categories: ["admin", "slow", "blocking", "dangerous"],
  keySpecs: [],
  arguments: [
    { name: "sequence", type: "integer" },
    { name: "timeout-ms", type: "integer", flags: ["optional"] },
  ],
  tips: ["nondeterministic_output"],
  run: runFollow,
};

function runFollow(context: EdgeContext): void {
  const { argv, reply } = context;
  if (argv.count > 4)
    return reply.error("ERR wrong number of arguments for 'ferrite.audit|follow' command");
  const after = readCount(context, 2, SEQUENCE_RANGE);
  if (after === null) return undefined;
  const timeoutMs = argv.count === 4 ? readCount(context, 3, TIMEOUT_RANGE) : TIMEOUT_MS_DEFAULT;
  if (timeoutMs === null) return undefined;
  return replyPage(context, (log, done) =>
    log.follow({ after, count: COUNT_DEFAULT, timeoutMs }, done),
  );
}
