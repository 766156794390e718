import type { EdgeContext } from "../../server/edge-context.ts";
import { answerLater } from "../acl/answer-later.ts";
import type { EdgeCommand } from "../command.ts";
import { replyOutcome } from "./leader-reply.ts";

const TIMEOUT_MS = 10_000;

/** FERRITE.LEADER STEPDOWN: the leader gives up at once, whoever comes next; writes wait for the election. */
export const leaderStepdown: EdgeCommand = {
  kind: "edge",
  name: "ferrite.leader|stepdown",
  summary: "Have the leader give up its office without waiting for a successor",
  complexity: "O(1)",
  since: "0.1.0",
  group: "ferrite",
  arity: 2,
  flags: ["admin", "noscript", "stale"],
  categories: ["admin", "slow", "dangerous"],
  keySpecs: [],
  arguments: [],
  run: runStepdown,
};

function runStepdown(context: EdgeContext): void {
  const answer = answerLater(context);
  const options = { until: "accepted", timeoutMs: TIMEOUT_MS } as const;
  context.server.replica.leadership.ask({ kind: "stepDown" }, options, (outcome) =>
    answer((later) => replyOutcome(later, outcome)),
  );
}
