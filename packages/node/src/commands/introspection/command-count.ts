import type { EdgeCommand } from "../command.ts";
import type { TableView } from "./table-view.ts";

/** COMMAND COUNT: containers count once. */
export function commandCount(table: TableView): EdgeCommand {
  return {
    kind: "edge",
    name: "command|count",
    summary: "Get total number of Redis commands",
    complexity: "O(1)",
    since: "2.8.13",
    group: "server",
    arity: 2,
    flags: ["loading", "stale"],
    categories: ["slow", "connection"],
    keySpecs: [],
    arguments: [],
    run: ({ reply }) => reply.integer(table.commands.length),
  };
}
