import type { EdgeCommand } from "../command.ts";
import { replyHelp } from "../help.ts";

const LINES: readonly string[] = [
  "REWRAP",
  "    Wrap this node's keys with the key-encryption key that is current now. No file but the keyring changes.",
  "ROTATE",
  "    Make a new node key. Files follow in the background; see STATUS.",
  "STATUS",
  "    Return which keys are in use, and how many files are encrypted with which.",
];

/** FERRITE.ATREST HELP */
export const atRestHelp: EdgeCommand = {
  kind: "edge",
  name: "ferrite.atrest|help",
  summary: "Show helpful text about the different subcommands",
  complexity: "O(1)",
  since: "0.1.0",
  group: "ferrite",
  arity: 2,
  flags: ["loading", "stale"],
  categories: ["slow"],
  keySpecs: [],
  arguments: [],
  run: (context) => replyHelp(context, "FERRITE.ATREST", LINES),
};
