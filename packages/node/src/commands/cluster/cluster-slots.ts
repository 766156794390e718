import type { EdgeCommand } from "../command.ts";
import type { MemberView } from "../../replica/replica-view.ts";
import type { Reply } from "../../resp/reply.ts";
import { splitAddress } from "../host-and-port.ts";
import { SLOT_LAST } from "./slots.ts";
import { toolNodeId } from "./tool-node-id.ts";

/** CLUSTER SLOTS: one range, the leader first. Empty while nobody leads. */
export const clusterSlots: EdgeCommand = {
  kind: "edge",
  name: "cluster|slots",
  summary: "Get array of Cluster slot to node mappings",
  complexity: "O(N) where N is the total number of Cluster nodes",
  since: "3.0.0",
  group: "cluster",
  arity: 2,
  flags: ["stale"],
  categories: ["slow"],
  keySpecs: [],
  arguments: [],
  history: [
    ["4.0.0", "Added node IDs."],
    ["7.0.0", "Added additional networking metadata field."],
  ],
  tips: ["nondeterministic_output"],
  docFlags: ["deprecated"],
  deprecatedSince: "7.0.0",
  replacedBy: "`CLUSTER SHARDS`",
  run: ({ reply, server }) => {
    const members = server.replica.members();
    const leader = members.find((member) => member.isLeader);
    if (leader === undefined) {
      reply.array(0);
      return;
    }
    reply.array(1);
    reply.array(members.length + 2);
    reply.integer(0);
    reply.integer(SLOT_LAST);
    replyNode(reply, leader);
    for (const member of members) if (member !== leader) replyNode(reply, member);
  },
};

function replyNode(reply: Reply, member: MemberView): void {
  const { host, port } = splitAddress(member.clientAddress);
  reply.array(4);
  reply.bulkText(host);
  reply.integer(port);
  reply.bulkText(toolNodeId(member.id));
  reply.array(0);
}
