import type { EdgeCommand } from "../command.ts";
import { replyRequestKeys } from "./request-keys.ts";
import type { TableView } from "./table-view.ts";

/** COMMAND GETKEYS command [argument ...] */
export function commandGetkeys(table: TableView): EdgeCommand {
  return {
    kind: "edge",
    name: "command|getkeys",
    summary: "Extract keys given a full Redis command",
    complexity: "O(N) where N is the number of arguments to the command",
    since: "2.8.13",
    group: "server",
    arity: -4,
    flags: ["loading", "stale"],
    categories: ["slow", "connection"],
    keySpecs: [],
    arguments: [],
    run: (context) => replyRequestKeys(context, table, { withFlags: false }),
  };
}
