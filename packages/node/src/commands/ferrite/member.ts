import type { ContainerCommand } from "../command.ts";
import { memberList } from "./member-list.ts";

/** FERRITE.MEMBER: who belongs to the cluster. */
export const ferriteMember: ContainerCommand = {
  kind: "container",
  name: "ferrite.member",
  summary: "A container for commands about the members of the cluster",
  complexity: "Depends on subcommand.",
  since: "0.1.0",
  group: "ferrite",
  arity: -2,
  flags: [],
  categories: ["slow"],
  keySpecs: [],
  arguments: [],
  subcommands: [memberList],
};
