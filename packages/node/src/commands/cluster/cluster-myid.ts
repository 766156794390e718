import type { EdgeCommand } from "../command.ts";
import { toolNodeId } from "./tool-node-id.ts";

/** CLUSTER MYID */
export const clusterMyid: EdgeCommand = {
  kind: "edge",
  name: "cluster|myid",
  summary: "Return the node id",
  complexity: "O(1)",
  since: "3.0.0",
  group: "cluster",
  arity: 2,
  flags: ["stale"],
  categories: ["slow"],
  keySpecs: [],
  arguments: [],
  run: ({ reply, server }) => reply.bulkText(toolNodeId(server.replica.nodeId)),
};
