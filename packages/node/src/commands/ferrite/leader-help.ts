import type { EdgeCommand } from "../command.ts";
import { replyHelp } from "../help.ts";

const LINES: readonly string[] = [
  "(no subcommand)",
  "    Return who leads, as this node knows it.",
  "CANCEL",
  "    Give up handing leadership over.",
  "STEPDOWN",
  "    Have the leader give up its office without waiting for a successor.",
  "TRANSFER [<name>]",
  "    Hand leadership to a member, or to the voter that is furthest. Writes are held meanwhile.",
];

/** FERRITE.LEADER HELP */
export const leaderHelp: EdgeCommand = {
  kind: "edge",
  name: "ferrite.leader|help",
  summary: "Show helpful text about the different subcommands",
  complexity: "O(1)",
  since: "0.1.0",
  group: "ferrite",
  arity: 2,
  flags: ["loading", "stale"],
  categories: ["slow"],
  keySpecs: [],
  arguments: [],
  run: (context) => replyHelp(context, "FERRITE.LEADER", LINES),
};
