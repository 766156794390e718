import type { EdgeCommand } from "../command.ts";
import { replyRequestKeys } from "./request-keys.ts";
import type { TableView } from "./table-view.ts";

/** COMMAND GETKEYSANDFLAGS command [argument ...] */
export function commandGetkeysandflags(table: TableView): EdgeCommand {
  return {
    kind: "edge",
    name: "command|getkeysandflags",
    summary: "Extract keys and access flags given a full Redis command",
    complexity: "O(N) where N is the number of arguments to the command",
    since: "7.0.0",
    group: "server",
    arity: -4,
    flags: ["loading", "stale"],
    categories: ["slow", "connection"],
    keySpecs: [],
    arguments: [],
    run: (context) => replyRequestKeys(context, table, { withFlags: true }),
  };
}
