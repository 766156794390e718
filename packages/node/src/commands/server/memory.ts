import type { ContainerCommand } from "../command.ts";
import { memoryHelp } from "./memory-help.ts";
import { memoryUsage } from "./memory-usage.ts";

/** MEMORY HELP | USAGE */
export const memory: ContainerCommand = {
  kind: "container",
  name: "memory",
  summary: "A container for memory diagnostics commands",
  complexity: "Depends on subcommand.",
  since: "4.0.0",
  group: "server",
  arity: -2,
  flags: [],
  categories: ["slow"],
  keySpecs: [],
  arguments: [],
  subcommands: [memoryHelp, memoryUsage],
};
