import type { EdgeCommand } from "../command.ts";
import type { EdgeContext } from "../../server/edge-context.ts";
import type { CommandSpec } from "../command.ts";
import { replyDocs } from "./reply-docs.ts";
import type { TableView } from "./table-view.ts";

/** COMMAND DOCS [command-name ...] */
export function commandDocs(table: TableView): EdgeCommand {
  return {
    kind: "edge",
    name: "command|docs",
    summary: "Get array of specific Redis command documentation",
    complexity: "O(N) where N is the number of commands to look up",
    since: "7.0.0",
    group: "server",
    arity: -2,
    flags: ["loading", "stale"],
    categories: ["slow", "connection"],
    keySpecs: [],
    arguments: [{ name: "command-name", type: "string", flags: ["optional", "multiple"] }],
    tips: ["nondeterministic_output_order"],
    run: (context) => runDocs(context, table),
  };
}

/** Names nobody has are left out. */
function runDocs({ argv, reply }: EdgeContext, table: TableView): void {
  let commands = table.commands;
  if (argv.count > 2) {
    const named: CommandSpec[] = [];
    for (let index = 2; index < argv.count; index++) {
      const command = table.byName(argv.latin1(index));
      if (command !== null) named.push(command);
    }
    commands = named;
  }
  reply.map(commands.length);
  for (const command of commands) replyDocs(reply, command);
}
