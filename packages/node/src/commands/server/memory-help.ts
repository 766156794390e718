import type { EdgeCommand } from "../command.ts";
import { replyHelp } from "../help.ts";

const LINES: readonly string[] = [
  "USAGE <key> [SAMPLES <count>]",
  "    Return memory in bytes used by <key> and its value. Nested values are",
  "    sampled up to <count> times (default: 5, 0 means sample all).",
];

/** MEMORY HELP: Redis' text without the sub-commands that are not there. */
export const memoryHelp: EdgeCommand = {
  kind: "edge",
  name: "memory|help",
  summary: "Show helpful text about the different subcommands",
  complexity: "O(1)",
  since: "4.0.0",
  group: "server",
  arity: 2,
  flags: ["loading", "stale"],
  categories: ["slow"],
  keySpecs: [],
  arguments: [],
  run: (context) => replyHelp(context, "MEMORY", LINES),
};
