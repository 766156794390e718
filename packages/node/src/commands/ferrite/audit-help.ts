import type { EdgeCommand } from "../command.ts";
import { replyHelp } from "../help.ts";

const LINES: readonly string[] = [
  "RECENT <count>",
  "    Return the newest records, newest first.",
  "SINCE <sequence> [COUNT <count>]",
  "    Return the records above <sequence>, oldest first, at most 1000.",
  "FOLLOW <sequence> [<timeout-ms>]",
  "    Like SINCE, but wait until there is a record; an empty reply when the time is over.",
  "STATUS",
  "    Return the head of the chain, its anchors, and how files and receivers are.",
];

/** FERRITE.AUDIT HELP */
export const auditHelp: EdgeCommand = {
  kind: "edge",
  name: "ferrite.audit|help",
  summary: "Show helpful text about the different subcommands",
  complexity: "O(1)",
  since: "0.1.0",
  group: "ferrite",
  arity: 2,
  flags: ["loading", "stale"],
  categories: ["slow"],
  keySpecs: [],
  arguments: [],
  run: (context) => replyHelp(context, "FERRITE.AUDIT", LINES),
};
