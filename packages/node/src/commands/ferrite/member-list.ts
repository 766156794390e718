import type { EdgeContext } from "../../server/edge-context.ts";
import type { EdgeCommand } from "../command.ts";
import { replyChange, replyFacts, replyMember } from "./member-reply.ts";

/** FERRITE.MEMBER LIST: the members as this node has applied them, the change under way or the last one, and alarms. */
export const memberList: EdgeCommand = {
  kind: "edge",
  name: "ferrite.member|list",
  summary: "Return the members of the cluster and the change that is under way",
  complexity: "O(N) where N is the number of members",
  since: "0.1.0",
  group: "ferrite",
  arity: 2,
  flags: ["loading", "stale"],
  categories: ["slow"],
  keySpecs: [],
  arguments: [],
  tips: ["nondeterministic_output"],
  run: runList,
};

function runList({ reply, server }: EdgeContext): void {
  const { membership } = server.replica;
  const members = membership.all();
  const alarms = membership.alarms();
  const goal = membership.goalIndex();
  reply.map(5);
  reply.bulkText("feature_level");
  reply.integer(membership.featureLevel());
  reply.bulkText("goal_index");
  if (goal === null) reply.nullBulk();
  else reply.integer(goal);
  reply.bulkText("members");
  reply.array(members.length);
  for (const member of members) replyMember(reply, member);
  reply.bulkText("change");
  replyChange(reply, membership.change());
  reply.bulkText("alarms");
  reply.array(alarms.length);
  for (const { kind, nodeId, text, sinceMs } of alarms) {
    replyFacts(reply, [
      ["kind", kind],
      ["node_id", nodeId],
      ["text", text],
      ["since_ms", sinceMs],
    ]);
  }
}
