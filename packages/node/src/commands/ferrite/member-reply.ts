/** Members and their changes as replies: maps, which are flat arrays under RESP2. */
import type { MemberChange } from "../../members/member-record.ts";
import type { MemberStatus } from "../../members/membership-ports.ts";
import type { Reply } from "../../resp/reply.ts";

type Fact = readonly [name: string, value: string | number | boolean | null];

/** One member. */
export function replyMember(reply: Reply, member: MemberStatus): void {
  replyFacts(reply, [
    ["name", member.name],
    ["id", member.id],
    ["role", member.role],
    ["leader", member.isLeader],
    ["connected", member.isConnected],
    ["match_index", member.matchIndex],
    ["peer_address", member.peerAddress],
    ["client_address", member.clientAddress],
    ["tls_address", member.tlsAddress],
    ["priority", member.priority],
    ["version", member.version],
    ["feature_level", member.featureLevel],
  ]);
}

/** The change under way or the last one; null when there was none. Times are Unix ms. */
export function replyChange(reply: Reply, change: MemberChange | null): void {
  if (change === null) return reply.nullBulk();
  return replyFacts(reply, [
    ["id", change.id],
    ["kind", change.kind],
    ["name", change.name],
    ["newcomer", change.newcomer],
    ["target_id", change.target],
    ["replaced_id", change.replaces],
    ["learner", change.asLearner],
    ["address", change.address],
    ["phase", change.phase],
    ["reason", change.reason],
    ["started_ms", change.startedMs],
  ]);
}

export function replyFacts(reply: Reply, facts: readonly Fact[]): void {
  reply.map(facts.length);
  for (const [name, value] of facts) {
    reply.bulkText(name);
    if (value === null) reply.nullBulk();
    else if (typeof value === "boolean") reply.boolean(value);
    else if (typeof value === "number") reply.integer(value);
    else reply.bulkText(value);
  }
}
