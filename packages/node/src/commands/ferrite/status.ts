import type { AtRestStatus } from "../../at-rest/at-rest-view.ts";
import type { EdgeCommand } from "../command.ts";
import type { EdgeContext } from "../../server/edge-context.ts";
import type { CredentialHealth } from "../../certificates/live-credentials.ts";
import type { MemberView } from "../../replica/replica-view.ts";
import type { Reply } from "../../resp/reply.ts";
import { certificateDaysLeft } from "../certificate-days.ts";

/** FERRITE.STATUS: this node and the cluster as it sees it. */
export const ferriteStatus: EdgeCommand = {
  kind: "edge",
  name: "ferrite.status",
  summary: "Return this node's role, term and log positions, and the members of its cluster",
  complexity: "O(N) where N is the number of members",
  since: "0.1.0",
  group: "ferrite",
  arity: 1,
  flags: ["loading", "stale", "fast"],
  categories: ["fast", "connection"],
  keySpecs: [],
  arguments: [],
  tips: ["nondeterministic_output"],
  run: runStatus,
};

function runStatus({ reply, server }: EdgeContext): void {
  const { replica } = server;
  const members = replica.members();
  const silenceMs = replica.leaderSilenceMs();
  const { stalledMs, stalls, damages, missingUpTo } = replica.disk();
  const facts: readonly (readonly [string, string | number | null])[] = [
    ["name", replica.nodeName],
    ["id", replica.nodeId],
    ["cluster_id", replica.clusterId],
    ["version", server.ferriteVersion],
    ["feature_level", replica.membership.featureLevel()],
    ["role", replica.role()],
    ["term", replica.term()],
    ["leader_id", replica.leaderId()],
    ["leader_name", members.find((member) => member.isLeader)?.name ?? null],
    ["leader_silence_ms", Number.isFinite(silenceMs) ? Math.round(silenceMs) : null],
    ["write_refusal", replica.writeRefusal()],
    ["disk_stalled_ms", stalledMs === null ? null : Math.round(stalledMs)],
    ["disk_stalls", stalls],
    ["disk_damages", damages],
    ["disk_missing_up_to", missingUpTo === null ? null : missingUpTo.index],
    ["commit_index", replica.commitIndex()],
    ["applied_index", replica.appliedIndex()],
    ["last_index", replica.lastIndex()],
    ["first_index", replica.firstIndex()],
    ["snapshot_index", replica.snapshotIndex()],
    ["log_bytes", replica.logBytes()],
    ["keys", replica.keyspace.size],
    ["at_rest", atRestWord(server.atRest.status())],
  ];
  reply.map(facts.length + 2);
  for (const [name, value] of facts) replyFact(reply, name, value);
  reply.bulkText("members");
  reply.array(members.length);
  for (const member of members) replyMember(reply, member);
  const certificates = server.certificates.health();
  reply.bulkText("certificates");
  reply.array(certificates.length);
  for (const health of certificates) replyCertificate(reply, health, server.nowMs());
}

/** Times are Unix ms. */
function replyCertificate(reply: Reply, health: CredentialHealth, nowMs: number): void {
  const [authorityUntilMs] = health.authoritiesUntilMs;
  const [listUntilMs] = health.listsUntilMs;
  const facts: readonly (readonly [string, string | number | null])[] = [
    ["use", health.use],
    ["subject", health.subject],
    ["serial", health.serial],
    ["fingerprint", health.fingerprint],
    ["valid_until_ms", health.validUntilMs],
    ["days_left", certificateDaysLeft(health.validUntilMs, nowMs)],
    ["authority_valid_until_ms", authorityUntilMs ?? null],
    ["revocation_list_next_update_ms", listUntilMs ?? null],
    ["generation", health.generation],
    ["refused", health.refused?.text ?? null],
    ["refused_since_ms", health.refused?.sinceMs ?? null],
  ];
  reply.map(facts.length + 1);
  for (const [name, value] of facts) replyFact(reply, name, value);
  reply.bulkText("warnings");
  reply.array(health.warnings.length);
  for (const warning of health.warnings) reply.bulkText(warning);
}

function atRestWord({ enabled, isRewriting, plain, outdated }: AtRestStatus): string {
  if (!enabled) return "plain";
  return isRewriting ? `rewriting, ${plain.bytes + outdated.bytes} bytes left` : "encrypted";
}

function replyMember(reply: Reply, member: MemberView): void {
  reply.map(9);
  replyFact(reply, "name", member.name);
  replyFact(reply, "id", member.id);
  replyFact(reply, "peer_address", member.peerAddress);
  replyFact(reply, "client_address", member.clientAddress);
  replyFact(reply, "role", member.isLeader ? "leader" : member.learner ? "learner" : "follower");
  replyFlag(reply, "self", member.isSelf);
  replyFlag(reply, "leader", member.isLeader);
  replyFlag(reply, "connected", member.connected);
  replyFact(reply, "match_index", member.matchIndex);
}

function replyFact(reply: Reply, name: string, value: string | number | null): void {
  reply.bulkText(name);
  if (value === null) reply.nullBulk();
  else if (typeof value === "number") reply.integer(value);
  else reply.bulkText(value);
}

function replyFlag(reply: Reply, name: string, value: boolean): void {
  reply.bulkText(name);
  reply.boolean(value);
}
