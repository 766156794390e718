import type { EdgeContext } from "../../server/edge-context.ts";
import { answerLater } from "../acl/answer-later.ts";
import type { EdgeCommand } from "../command.ts";
import { replyOutcome } from "./leader-reply.ts";

/** For how long the leader tries, and the client waits. */
const TIMEOUT_MS = 10_000;

/** FERRITE.LEADER TRANSFER [name]: answered when another node leads. Writes are held meanwhile, not failed (R51). */
export const leaderTransfer: EdgeCommand = {
  kind: "edge",
  name: "ferrite.leader|transfer",
  summary: "Hand leadership to a member, or to the voter that is furthest",
  complexity: "O(N) where N is the number of members",
  since: "0.1.0",
  group: "ferrite",
  arity: -2,
  flags: ["admin", "noscript", "stale"],
  categories: ["admin", "slow", "dangerous"],
  keySpecs: [],
  arguments: [{ name: "name", type: "string", flags: ["optional"] }],
  run: runTransfer,
};

function runTransfer(context: EdgeContext): void {
  const { argv, reply, server } = context;
  if (argv.count > 3) return reply.error("ERR syntax error");
  const target = argv.count === 3 ? memberNamed(context, argv.latin1(2)) : null;
  if (target === undefined) return reply.error("ERR no member has this name");
  if (target?.isLeader === true) return reply.ok();
  const answer = answerLater(context);
  server.replica.leadership.ask(
    { kind: "transfer", target: target?.id ?? null },
    { until: "moved", timeoutMs: TIMEOUT_MS },
    (outcome) => answer((later) => replyOutcome(later, outcome)),
  );
}

function memberNamed(
  { server }: EdgeContext,
  name: string,
): { readonly id: string; readonly isLeader: boolean } | undefined {
  return server.replica.members().find((member) => member.name === name);
}
