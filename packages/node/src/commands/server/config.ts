import type { ContainerCommand } from "../command.ts";
import { configGet } from "./config-get.ts";
import { configHelp } from "./config-help.ts";
import { configResetstat } from "./config-resetstat.ts";
import { configRewrite } from "./config-rewrite.ts";
import { configSet } from "./config-set.ts";

/** CONFIG */
export const config: ContainerCommand = {
  kind: "container",
  name: "config",
  summary: "A container for server configuration commands",
  complexity: "Depends on subcommand.",
  since: "2.0.0",
  group: "server",
  arity: -2,
  flags: [],
  categories: ["slow"],
  keySpecs: [],
  arguments: [],
  subcommands: [configGet, configHelp, configResetstat, configRewrite, configSet],
};
