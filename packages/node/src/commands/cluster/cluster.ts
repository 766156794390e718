import type { ContainerCommand } from "../command.ts";
import { clusterHelp } from "./cluster-help.ts";
import { clusterInfo } from "./cluster-info.ts";
import { clusterMyid } from "./cluster-myid.ts";
import { clusterNodes } from "./cluster-nodes.ts";
import { clusterShards } from "./cluster-shards.ts";
import { clusterSlots } from "./cluster-slots.ts";

/** CLUSTER: what Redis tools read to draw a picture. INFO says cluster_enabled:0, so that clients do not redirect. */
export const cluster: ContainerCommand = {
  kind: "container",
  name: "cluster",
  summary: "A container for cluster commands",
  complexity: "Depends on subcommand.",
  since: "3.0.0",
  group: "cluster",
  arity: -2,
  flags: [],
  categories: ["slow"],
  keySpecs: [],
  arguments: [],
  subcommands: [clusterHelp, clusterInfo, clusterMyid, clusterNodes, clusterShards, clusterSlots],
};
