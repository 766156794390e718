import type { EdgeCommand } from "../command.ts";
import { replyHelp } from "../help.ts";

const LINES: readonly string[] = [
  "ADD <name> [ADDRESS <host:port>] [LEARNER] [WAIT <ms>]",
  "    Invite a node. It joins when it is started, and votes once it has caught up; a LEARNER never does.",
  "CANCEL",
  "    Give up the change that is under way, as long as it has not come to voters.",
  "DEMOTE <name> [WAIT <ms>]",
  "    Make a learner of a voter.",
  "LIST",
  "    Return the members, the change that is under way or the last one, and alarms.",
  "PRIORITY <name> <0-100>",
  "    Set how readily a member leads; 0 never does as long as another can.",
  "PROMOTE <name> [WAIT <ms>]",
  "    Make a voter of a learner that has caught up.",
  "REMOVE <name> [WAIT <ms>]",
  "    Remove a member. It stops, and comes back only with an empty data directory.",
  "REPLACE <name> [BY <newcomer>] [WAIT <ms>]",
  "    Replace a member by a new disk of its name, or by another node.",
];

/** FERRITE.MEMBER HELP */
export const memberHelp: EdgeCommand = {
  kind: "edge",
  name: "ferrite.member|help",
  summary: "Show helpful text about the different subcommands",
  complexity: "O(1)",
  since: "0.1.0",
  group: "ferrite",
  arity: 2,
  flags: ["loading", "stale"],
  categories: ["slow"],
  keySpecs: [],
  arguments: [],
  run: (context) => replyHelp(context, "FERRITE.MEMBER", LINES),
};
