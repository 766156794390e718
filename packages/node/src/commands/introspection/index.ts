/** COMMAND: the table, described to clients. */
import type { CommandFacts, ContainerCommand } from "../command.ts";
import { commandCount } from "./command-count.ts";
import { commandDocs } from "./command-docs.ts";
import { commandGetkeys } from "./command-getkeys.ts";
import { commandGetkeysandflags } from "./command-getkeysandflags.ts";
import { commandHelp } from "./command-help.ts";
import { commandInfo } from "./command-info.ts";
import { commandList } from "./command-list.ts";
import { replyAllInfo } from "./reply-info.ts";
import type { TableView } from "./table-view.ts";

const COMMAND_FACTS: CommandFacts = {
  name: "command",
  summary: "Get array of Redis command details",
  complexity: "O(N) where N is the total number of Redis commands",
  since: "2.8.13",
  group: "server",
  arity: -1,
  flags: ["loading", "stale"],
  categories: ["slow", "connection"],
  keySpecs: [],
  arguments: [],
  tips: ["nondeterministic_output_order"],
};

/** The COMMAND container over `table`, which may contain it: the table is read only when it runs. */
export function commandCommand(table: TableView): ContainerCommand {
  return {
    kind: "container",
    ...COMMAND_FACTS,
    bare: {
      ...COMMAND_FACTS,
      kind: "edge",
      run: (context) => replyAllInfo(context.reply, table.commands),
    },
    subcommands: [
      commandCount(table),
      commandDocs(table),
      commandGetkeys(table),
      commandGetkeysandflags(table),
      commandHelp,
      commandInfo(table),
      commandList(table),
    ],
  };
}
