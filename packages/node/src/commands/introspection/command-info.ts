import type { EdgeCommand } from "../command.ts";
import type { EdgeContext } from "../../server/edge-context.ts";
import { replyAllInfo, replyInfo } from "./reply-info.ts";
import type { TableView } from "./table-view.ts";

/** COMMAND INFO [command-name ...] */
export function commandInfo(table: TableView): EdgeCommand {
  return {
    kind: "edge",
    name: "command|info",
    summary: "Get array of specific Redis command details, or all when no argument is given.",
    complexity: "O(N) where N is the number of commands to look up",
    since: "2.8.13",
    group: "server",
    arity: -2,
    flags: ["loading", "stale"],
    categories: ["slow", "connection"],
    keySpecs: [],
    arguments: [{ name: "command-name", type: "string", flags: ["optional", "multiple"] }],
    history: [["7.0.0", "Allowed to be called with no argument to get info on all commands."]],
    tips: ["nondeterministic_output_order"],
    run: (context) => runInfo(context, table),
  };
}

function runInfo({ argv, reply }: EdgeContext, table: TableView): void {
  if (argv.count === 2) {
    replyAllInfo(reply, table.commands);
    return;
  }
  reply.array(argv.count - 2);
  for (let index = 2; index < argv.count; index++) {
    const command = table.byName(argv.latin1(index));
    if (command === null) reply.nullBulk();
    else replyInfo(reply, command);
  }
}
