/** The HELP sub-command of a container, laid out as Redis lays it out. */
import type { Reply } from "../resp/reply.ts";

/**
 * A heading, the lines, and HELP itself, each a simple string. `lines` name each sub-command, in capitals, and say
 * below it, indented, what it does.
 */
export function replyHelp(
  { reply }: { readonly reply: Reply },
  container: string,
  lines: readonly string[],
): void {
  reply.array(lines.length + 3);
  reply.simple(`${container} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:`);
  for (const line of lines) reply.simple(line);
  reply.simple("HELP");
  reply.simple("    Prints this help.");
}
