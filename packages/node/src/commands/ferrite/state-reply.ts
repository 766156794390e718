import type { MemberView, StateVerdict } from "../../replica/replica-view.ts";
import type { Reply } from "../../resp/reply.ts";
import { replyFacts } from "./member-reply.ts";

/** The comparison, with every member's part in it. `report` is its hash, "busy", or null when it did not answer. */
export function replyVerdict(
  reply: Reply,
  verdict: StateVerdict,
  members: readonly MemberView[],
): void {
  reply.map(3);
  reply.bulkText("outcome");
  reply.bulkText(verdict.outcome);
  reply.bulkText("index");
  reply.integer(verdict.index);
  reply.bulkText("members");
  reply.array(verdict.members.length);
  for (const { id, state, report } of verdict.members) {
    const name = members.find((member) => member.id === id)?.name ?? null;
    replyFacts(reply, [
      ["name", name],
      ["id", id],
      ["state", state],
      ["report", report],
    ]);
  }
}
