import type { EdgeCommand } from "../command.ts";
import type { MemberView, ReplicaView } from "../../replica/replica-view.ts";
import { splitAddress } from "../host-and-port.ts";
import { SLOT_LAST, TOOL_BUS_PORT_OFFSET } from "./slots.ts";
import { toolNodeId } from "./tool-node-id.ts";

/** CLUSTER NODES: a line per member; the leader is the master that has all slots. */
export const clusterNodes: EdgeCommand = {
  kind: "edge",
  name: "cluster|nodes",
  summary: "Get Cluster config for the node",
  complexity: "O(N) where N is the total number of Cluster nodes",
  since: "3.0.0",
  group: "cluster",
  arity: 2,
  flags: ["stale"],
  categories: ["slow"],
  keySpecs: [],
  arguments: [],
  tips: ["nondeterministic_output"],
  run: ({ reply, server }) => {
    const { replica } = server;
    const lines = replica.members().map((member) => `${nodeLine(member, replica)}\n`);
    reply.verbatim("txt", lines.join(""));
  },
};

/** <id> <ip:port@cport,hostname> <flags> <master> <ping-sent> <pong-recv> <config-epoch> <link-state> [<slots>] */
function nodeLine(member: MemberView, replica: ReplicaView): string {
  const { host, port } = splitAddress(member.clientAddress);
  const leaderId = replica.leaderId();
  const role = member.isLeader ? "master" : "slave";
  const fields = [
    toolNodeId(member.id),
    `${host}:${port}@${port === 0 ? 0 : port + TOOL_BUS_PORT_OFFSET},${member.name}`,
    member.isSelf ? `myself,${role}` : role,
    member.isLeader || leaderId === null ? "-" : toolNodeId(leaderId),
    0,
    0,
    replica.term(),
    member.connected ? "connected" : "disconnected",
  ];
  if (member.isLeader) fields.push(`0-${SLOT_LAST}`);
  return fields.join(" ");
}
