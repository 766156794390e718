import type { EdgeCommand } from "../command.ts";
import { replyHelp } from "../help.ts";

const LINES: readonly string[] = [
  "(no subcommand)",
  "    Return the newest comparison of the members' data, or nil before the first.",
  "CHECK",
  "    Have all members compare their data at one log position. A member that differs from the majority stops.",
];

/** FERRITE.STATE HELP */
export const stateHelp: EdgeCommand = {
  kind: "edge",
  name: "ferrite.state|help",
  summary: "Show helpful text about the different subcommands",
  complexity: "O(1)",
  since: "0.1.0",
  group: "ferrite",
  arity: 2,
  flags: ["loading", "stale"],
  categories: ["slow"],
  keySpecs: [],
  arguments: [],
  run: (context) => replyHelp(context, "FERRITE.STATE", LINES),
};
