import type { EdgeContext } from "../../server/edge-context.ts";
import { answerLater } from "../acl/answer-later.ts";
import type { EdgeCommand } from "../command.ts";
import { replyOutcome } from "./leader-reply.ts";

const TIMEOUT_MS = 10_000;

/** FERRITE.LEADER CANCEL: the leader takes writes again. Who has been told to take over already may still do so. */
export const leaderCancel: EdgeCommand = {
  kind: "edge",
  name: "ferrite.leader|cancel",
  summary: "Give up handing leadership over",
  complexity: "O(1)",
  since: "0.1.0",
  group: "ferrite",
  arity: 2,
  flags: ["admin", "noscript", "stale"],
  categories: ["admin", "slow", "dangerous"],
  keySpecs: [],
  arguments: [],
  run: runCancel,
};

function runCancel(context: EdgeContext): void {
  const answer = answerLater(context);
  const options = { until: "accepted", timeoutMs: TIMEOUT_MS } as const;
  context.server.replica.leadership.ask({ kind: "cancel" }, options, (outcome) =>
    answer((later) => replyOutcome(later, outcome)),
  );
}
