import type { EdgeCommand } from "../command.ts";
import type { MemberView } from "../../replica/replica-view.ts";
import type { Reply } from "../../resp/reply.ts";
import { splitAddress } from "../host-and-port.ts";
import { SLOT_LAST } from "./slots.ts";
import { toolNodeId } from "./tool-node-id.ts";

/** CLUSTER SHARDS: one shard of all members. */
export const clusterShards: EdgeCommand = {
  kind: "edge",
  name: "cluster|shards",
  summary: "Get array of cluster slots to node mappings",
  complexity: "O(N) where N is the total number of cluster nodes",
  since: "7.0.0",
  group: "cluster",
  arity: 2,
  flags: ["stale"],
  categories: ["slow"],
  keySpecs: [],
  arguments: [],
  tips: ["nondeterministic_output"],
  run: ({ reply, server }) => {
    const members = server.replica.members();
    reply.array(1);
    reply.map(2);
    reply.bulkText("slots");
    reply.array(2);
    reply.integer(0);
    reply.integer(SLOT_LAST);
    reply.bulkText("nodes");
    reply.array(members.length);
    for (const member of members) replyNode(reply, member, server.replica.commitIndex());
  },
};

function replyNode(reply: Reply, member: MemberView, commitIndex: number): void {
  const { host, port } = splitAddress(member.clientAddress);
  reply.map(7);
  reply.bulkText("id");
  reply.bulkText(toolNodeId(member.id));
  reply.bulkText("port");
  reply.integer(port);
  reply.bulkText("ip");
  reply.bulkText(host);
  reply.bulkText("endpoint");
  reply.bulkText(host);
  reply.bulkText("role");
  reply.bulkText(member.isLeader ? "master" : "replica");
  reply.bulkText("replication-offset");
  reply.integer(member.matchIndex ?? commitIndex);
  reply.bulkText("health");
  reply.bulkText(member.connected ? "online" : "fail");
}
