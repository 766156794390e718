import type { ContainerCommand } from "../command.ts";
import { atRestHelp } from "./at-rest-help.ts";
import { atRestRewrap } from "./at-rest-rewrap.ts";
import { atRestRotate } from "./at-rest-rotate.ts";
import { atRestStatus } from "./at-rest-status.ts";

/** FERRITE.ATREST: encryption at rest on the node that is asked. */
export const ferriteAtRest: ContainerCommand = {
  kind: "container",
  name: "ferrite.atrest",
  summary: "A container for commands about encryption at rest on this node",
  complexity: "Depends on subcommand.",
  since: "0.1.0",
  group: "ferrite",
  arity: -2,
  flags: [],
  categories: ["admin", "slow", "dangerous"],
  keySpecs: [],
  arguments: [],
  subcommands: [atRestHelp, atRestRewrap, atRestRotate, atRestStatus],
};
