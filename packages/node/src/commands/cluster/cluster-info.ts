import type { EdgeCommand } from "../command.ts";
import type { ReplicaView } from "../../replica/replica-view.ts";
import { SLOT_COUNT } from "./slots.ts";

/** CLUSTER INFO: state, in the terms of Redis Cluster, for tools that only read. */
export const clusterInfo: EdgeCommand = {
  kind: "edge",
  name: "cluster|info",
  summary: "Provides info about Redis Cluster node state",
  complexity: "O(1)",
  since: "3.0.0",
  group: "cluster",
  arity: 2,
  flags: ["stale"],
  categories: ["slow"],
  keySpecs: [],
  arguments: [],
  tips: ["nondeterministic_output"],
  run: ({ reply, server }) => {
    const lines = infoLines(server.replica).map(([name, value]) => `${name}:${value}\r\n`);
    reply.verbatim("txt", lines.join(""));
  },
};

function infoLines(replica: ReplicaView): readonly (readonly [string, string | number])[] {
  const members = replica.members();
  const writable = replica.writeRefusal() === null;
  return [
    ["cluster_state", writable ? "ok" : "fail"],
    ["cluster_slots_assigned", SLOT_COUNT],
    ["cluster_slots_ok", writable ? SLOT_COUNT : 0],
    ["cluster_slots_pfail", 0],
    ["cluster_slots_fail", writable ? 0 : SLOT_COUNT],
    ["cluster_known_nodes", members.length],
    ["cluster_size", 1],
    ["cluster_current_epoch", replica.term()],
    ["cluster_my_epoch", replica.term()],
    ["cluster_stats_messages_sent", 0],
    ["cluster_stats_messages_received", 0],
    ["total_cluster_links_buffer_limit_exceeded", 0],
  ];
}
