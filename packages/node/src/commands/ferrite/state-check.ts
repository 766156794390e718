import type { EdgeContext } from "../../server/edge-context.ts";
import { answerLater } from "../acl/answer-later.ts";
import type { EdgeCommand } from "../command.ts";
import { replyVerdict } from "./state-reply.ts";

/** FERRITE.STATE CHECK: all members hash their state at one log position; answered when they have, or after a minute. */
export const stateCheck: EdgeCommand = {
  kind: "edge",
  name: "ferrite.state|check",
  summary: "Have all members compare their data at one log position",
  complexity: "O(N) on every node, in slices, where N is the size of the data",
  since: "0.1.0",
  group: "ferrite",
  arity: 2,
  flags: ["admin", "noscript"],
  categories: ["admin", "slow", "dangerous"],
  keySpecs: [],
  arguments: [],
  run: runCheck,
};

function runCheck(context: EdgeContext): void {
  const answer = answerLater(context);
  const { replica } = context.server;
  replica.checks.check((verdict) =>
    answer((later) => {
      if (typeof verdict === "string") later.error(verdict);
      else replyVerdict(later, verdict, replica.members());
    }),
  );
}
