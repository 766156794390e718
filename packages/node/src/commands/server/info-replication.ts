/**
 * INFO replication: the Raft leader is the master, every other node a replica of it. Offsets are log positions, not
 * bytes: tools only subtract them.
 */
import type { ReplicaView } from "../../replica/replica-view.ts";
import type { ServerView } from "../../server/edge-context.ts";
import { splitAddress } from "../host-and-port.ts";
import { toolNodeId } from "../cluster/tool-node-id.ts";
import type { InfoLine } from "./info-sections.ts";

export function replicationLines({ replica }: ServerView): readonly InfoLine[] {
  const role = replica.role() === "leader" ? masterLines(replica) : replicaLines(replica);
  const first = replica.firstIndex();
  const last = replica.lastIndex();
  return [
    ...role,
    [
      "master_failover_state",
      replica.leadership.isHandingOver() ? "failover-in-progress" : "no-failover",
    ],
    ["master_replid", toolNodeId(replica.clusterId)],
    ["master_replid2", "0".repeat(40)],
    ["master_repl_offset", last],
    ["second_repl_offset", -1],
    ["repl_backlog_active", 1],
    ["repl_backlog_size", replica.logBytes()],
    ["repl_backlog_first_byte_offset", first],
    ["repl_backlog_histlen", Math.max(0, last - first + 1)],
  ];
}

function masterLines(replica: ReplicaView): readonly InfoLine[] {
  const others = replica.members().filter((member) => !member.isSelf && member.connected);
  return [
    ["role", "master"],
    ["connected_slaves", others.length],
    ...others.map((member, number): InfoLine => {
      const { host, port } = splitAddress(member.clientAddress);
      const place = `ip=${host},port=${port},state=online,offset=${member.matchIndex ?? 0},lag=0`;
      return [`slave${number}`, place];
    }),
  ];
}

function replicaLines(replica: ReplicaView): readonly InfoLine[] {
  const leader = replica.members().find((member) => member.isLeader);
  const { host, port } = splitAddress(leader?.clientAddress ?? "");
  const silenceMs = replica.leaderSilenceMs();
  const silenceSeconds = Number.isFinite(silenceMs) ? Math.floor(silenceMs / 1000) : -1;
  const isUp = leader !== undefined && replica.leaderId() !== null;
  return [
    ["role", "slave"],
    ["master_host", host],
    ["master_port", port],
    ["master_link_status", isUp ? "up" : "down"],
    ["master_last_io_seconds_ago", isUp ? silenceSeconds : -1],
    ["master_sync_in_progress", 0],
    ["slave_read_repl_offset", replica.lastIndex()],
    ["slave_repl_offset", replica.appliedIndex()],
    ...(isUp ? [] : [["master_link_down_since_seconds", silenceSeconds] as const]),
    ["slave_priority", 100],
    // Writes are taken by every node.
    ["slave_read_only", 0],
    ["replica_announced", 1],
    ["connected_slaves", 0],
  ];
}
