import type { EdgeCommand } from "../command.ts";
import { replyHelp } from "../help.ts";

const LINES: readonly string[] = [
  "INFO",
  "    Return information about the cluster.",
  "MYID",
  "    Return the node id.",
  "NODES",
  "    Return cluster configuration seen by node. Output format:",
  "    <id> <ip:port> <flags> <master> <pings> <pongs> <epoch> <link> <slot> ...",
  "SHARDS",
  "    Return information about slot range mappings and the nodes associated with them.",
  "SLOTS",
  "    Return information about slots range mappings. Each range is made of:",
  "    start, end, master and replicas IP addresses, ports and ids",
];

/** CLUSTER HELP */
export const clusterHelp: EdgeCommand = {
  kind: "edge",
  name: "cluster|help",
  summary: "Show helpful text about the different subcommands",
  complexity: "O(1)",
  since: "5.0.0",
  group: "cluster",
  arity: 2,
  flags: ["loading", "stale"],
  categories: ["slow"],
  keySpecs: [],
  arguments: [],
  run: (context) => replyHelp(context, "CLUSTER", LINES),
};
