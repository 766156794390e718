/** Every command Ferrite knows, by family. */
import { aclCommands } from "./acl/index.ts";
import { clusterCommands } from "./cluster/index.ts";
import type { CommandSpec } from "./command.ts";
import { connectionCommands } from "./connection/index.ts";
import { ferriteCommands } from "./ferrite/index.ts";
import { genericCommands } from "./generic/index.ts";
import { commandCommand } from "./introspection/index.ts";
import type { TableView } from "./introspection/table-view.ts";
import { serverCommands } from "./server/index.ts";
import { stringCommands } from "./string/index.ts";
import { CommandTable } from "./table.ts";

const FAMILIES: readonly (readonly CommandSpec[])[] = [
  aclCommands,
  connectionCommands,
  serverCommands,
  clusterCommands,
  stringCommands,
  genericCommands,
  ferriteCommands,
];

/** The table of all commands, with COMMAND, which describes the table and so is made together with it. */
export function createCommandTable(): CommandTable {
  // COMMAND looks at the table when it runs, not while the table is being built.
  const view: TableView = {
    get commands() {
      return table.commands;
    },
    byName: (name) => table.byName(name),
    resolve: (argv) => table.resolve(argv),
  };
  const table: CommandTable = new CommandTable([...FAMILIES.flat(), commandCommand(view)]);
  return table;
}
