import type { EdgeCommand } from "../command.ts";
import { replyHelp } from "../help.ts";

const LINES: readonly string[] = [
  "GET <pattern>",
  "    Return parameters matching the glob-like <pattern> and their values.",
  "SET <directive> <value>",
  "    Set the configuration <directive> to <value>.",
  "RESETSTAT",
  "    Reset statistics reported by the INFO command.",
  "REWRITE",
  "    Rewrite the configuration file.",
];

/** CONFIG HELP */
export const configHelp: EdgeCommand = {
  kind: "edge",
  name: "config|help",
  summary: "Show helpful text about the different subcommands",
  complexity: "O(1)",
  since: "5.0.0",
  group: "server",
  arity: 2,
  flags: ["loading", "stale"],
  categories: ["slow"],
  keySpecs: [],
  arguments: [],
  run: (context) => replyHelp(context, "CONFIG", LINES),
};
