import type { ContainerCommand } from "../command.ts";
import { memberAdd } from "./member-add.ts";
import { memberCancel } from "./member-cancel.ts";
import { memberDemote } from "./member-demote.ts";
import { memberHelp } from "./member-help.ts";
import { memberList } from "./member-list.ts";
import { memberPriority } from "./member-priority.ts";
import { memberPromote } from "./member-promote.ts";
import { memberRemove } from "./member-remove.ts";
import { memberReplace } from "./member-replace.ts";

/** FERRITE.MEMBER: who belongs to the cluster, and how that is changed. */
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
  subcommands: [
    memberAdd,
    memberCancel,
    memberDemote,
    memberHelp,
    memberList,
    memberPriority,
    memberPromote,
    memberRemove,
    memberReplace,
  ],
};
