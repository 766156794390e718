/** Redis' words for a sub-command whose number of arguments its specification lets through and it does not take. */
import type { Argv } from "../../resp/argv.ts";
import { quotedArgument } from "../refusal.ts";

/** "ERR unknown subcommand or wrong number of arguments for 'LOG'. Try ACL HELP." */
export function subcommandSyntaxText(argv: Argv): string {
  const name = quotedArgument(argv, 1).slice(0, 128);
  return `ERR unknown subcommand or wrong number of arguments for '${name}'. Try ACL HELP.`;
}
