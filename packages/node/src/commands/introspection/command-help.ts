import type { EdgeCommand } from "../command.ts";
import { replyHelp } from "../help.ts";

/** COMMAND HELP */
export const commandHelp: EdgeCommand = {
  kind: "edge",
  name: "command|help",
  summary: "Show helpful text about the different subcommands",
  complexity: "O(1)",
  since: "5.0.0",
  group: "server",
  arity: 2,
  flags: ["loading", "stale"],
  categories: ["slow", "connection"],
  keySpecs: [],
  arguments: [],
  run: (context) =>
    replyHelp(context, "COMMAND", [
      "(no subcommand)",
      "    Return details about all Redis commands.",
      "COUNT",
      "    Return the total number of commands in this Redis server.",
      "LIST",
      "    Return a list of all commands in this Redis server.",
      "INFO [<command-name> ...]",
      "    Return details about multiple Redis commands.",
      "    If no command names are given, documentation details for all",
      "    commands are returned.",
      "DOCS [<command-name> ...]",
      "    Return documentation details about multiple Redis commands.",
      "    If no command names are given, documentation details for all",
      "    commands are returned.",
      "GETKEYS <full-command>",
      "    Return the keys from a full Redis command.",
      "GETKEYSANDFLAGS <full-command>",
      "    Return the keys and the access flags from a full Redis command.",
    ]),
};
