/** `ferrite audit`: what happened in the whole cluster, and whether the files that say so are whole. */
import { Command } from "commander";
import type { World } from "../world.ts";
import { auditSearch } from "./audit-search.ts";
import { auditTail } from "./audit-tail.ts";
import { auditVerify } from "./audit-verify.ts";

const EXAMPLES = `
Examples:
  $ ferrite audit tail --follow
  $ ferrite audit search --since 2h --outcome failure
  $ ferrite audit search --user alice --action 'acl.*' --json
  $ ferrite audit verify /var/lib/ferrite/audit --node 10.0.0.1:6379`;

/** `finish` takes the exit status. */
export function auditCommand(world: World, finish: (code: number) => void): Command {
  const command = new Command("audit")
    .description("read the audit trails of all nodes, and verify their files")
    .addHelpText("after", EXAMPLES);
  for (const subcommand of [
    auditTail(world, finish),
    auditSearch(world, finish),
    auditVerify(world, finish),
  ]) {
    command.addCommand(subcommand);
  }
  return command;
}
