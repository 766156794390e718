import type { EdgeCommand } from "../command.ts";
import { replyHelp } from "../help.ts";

const LINES: readonly string[] = [
  "CAT [<category>]",
  "    List all commands that belong to <category>, or all command categories",
  "    when no category is specified.",
  "DELUSER <username> [<username> ...]",
  "    Delete a list of users.",
  "DRYRUN <username> <command> [<arg> ...]",
  "    Returns whether the user can execute the given command without executing the command.",
  "EXPLAIN <username> <command> [<arg> ...]",
  "    Returns which rules decide whether the user can execute the given command.",
  "GETUSER <username>",
  "    Get the user's details.",
  "GENPASS [<bits>]",
  "    Generate a secure 256-bit user password. The optional `bits` argument can",
  "    be used to specify a different size.",
  "LIST",
  "    Show users details in config file format.",
  "LOAD",
  "    Reload users from the ACL file.",
  "LOG [<count> | RESET]",
  "    Show the ACL log entries.",
  "SAVE",
  "    Save the current config to the ACL file.",
  "SETUSER <username> <attribute> [<attribute> ...]",
  "    Create or modify a user with the specified attributes.",
  "USERS",
  "    List all the registered usernames.",
  "WHOAMI",
  "    Return the current connection username.",
];

/** ACL HELP: Redis' text, and EXPLAIN, which Redis does not have. */
export const aclHelp: EdgeCommand = {
  kind: "edge",
  name: "acl|help",
  summary: "Show helpful text about the different subcommands",
  complexity: "O(1)",
  since: "6.0.0",
  group: "server",
  arity: 2,
  flags: ["loading", "stale"],
  categories: ["slow"],
  keySpecs: [],
  arguments: [],
  run: (context) => replyHelp(context, "ACL", LINES),
};
