/** INFO raft: the node's place in its cluster. */
import type { ServerView } from "../../server/edge-context.ts";
import type { InfoLine } from "./info-sections.ts";

export function raftLines({ replica }: ServerView): readonly InfoLine[] {
  const members = replica.members();
  const silenceMs = replica.leaderSilenceMs();
  return [
    ["raft_group_id", 0],
    ["raft_cluster_id", replica.clusterId],
    ["raft_node_id", replica.nodeId],
    ["raft_node_name", replica.nodeName],
    ["raft_role", replica.role()],
    ["raft_term", replica.term()],
    ["raft_leader_id", replica.leaderId() ?? ""],
    ["raft_leader_name", members.find((member) => member.isLeader)?.name ?? ""],
    ["raft_leader_silence_ms", Number.isFinite(silenceMs) ? Math.round(silenceMs) : -1],
    ["raft_commit_index", replica.commitIndex()],
    ["raft_applied_index", replica.appliedIndex()],
    ["raft_first_index", replica.firstIndex()],
    ["raft_last_index", replica.lastIndex()],
    ["raft_snapshot_index", replica.snapshotIndex()],
    ["raft_snapshot_bytes_sent", replica.snapshotBytesSent()],
    ["raft_log_bytes", replica.logBytes()],
    ["raft_members", members.length],
    ["raft_members_connected", members.filter((member) => member.connected).length],
    ["raft_writable", replica.writeRefusal() === null ? 1 : 0],
  ];
}
