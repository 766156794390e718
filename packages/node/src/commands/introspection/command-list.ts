import type { EdgeCommand } from "../command.ts";
import type { EdgeContext } from "../../server/edge-context.ts";
import type { CommandSpec } from "../command.ts";
import { SYNTAX_ERROR } from "../error-texts.ts";
import { Glob, GLOB_BYTES_MAX, PATTERN_TOO_LONG } from "../glob.ts";
import type { TableView } from "./table-view.ts";

/** COMMAND LIST [FILTERBY MODULE name | ACLCAT category | PATTERN pattern] */
export function commandList(table: TableView): EdgeCommand {
  return {
    kind: "edge",
    name: "command|list",
    summary: "Get an array of Redis command names",
    complexity: "O(N) where N is the total number of Redis commands",
    since: "7.0.0",
    group: "server",
    arity: -2,
    flags: ["loading", "stale"],
    categories: ["slow", "connection"],
    keySpecs: [],
    arguments: [
      {
        name: "filterby",
        type: "oneof",
        token: "FILTERBY",
        flags: ["optional"],
        arguments: [
          { name: "module-name", type: "string", token: "MODULE" },
          { name: "category", type: "string", token: "ACLCAT" },
          { name: "pattern", type: "pattern", token: "PATTERN" },
        ],
      },
    ],
    tips: ["nondeterministic_output_order"],
    run: (context) => runList(context, table),
  };
}

const FILTERED_COUNT = 5;

type Filter = (command: CommandSpec) => boolean;

function runList(context: EdgeContext, table: TableView): void {
  const { argv, reply } = context;
  const filter = argv.count === 2 ? () => true : parseFilter(context);
  if (typeof filter === "string") {
    reply.error(filter);
    return;
  }
  const names: string[] = [];
  for (const command of table.commands) {
    if (filter(command)) names.push(command.name);
    if (command.kind !== "container") continue;
    for (const subcommand of command.subcommands) {
      if (filter(subcommand)) names.push(subcommand.name);
    }
  }
  reply.array(names.length);
  for (const name of names) reply.bulkText(name);
}

/** The filter, or an error text. */
function parseFilter({ argv }: EdgeContext): Filter | string {
  if (argv.count !== FILTERED_COUNT || !argv.isWord(2, "FILTERBY")) return SYNTAX_ERROR;
  if (argv.isWord(3, "MODULE")) return () => false;
  if (argv.isWord(3, "ACLCAT")) {
    const category = argv.latin1(4).toLowerCase();
    return (command) => command.categories.some((name) => name === category);
  }
  if (argv.isWord(3, "PATTERN")) {
    if (argv.length(4) > GLOB_BYTES_MAX) return PATTERN_TOO_LONG;
    const glob = new Glob(argv.bytes(4), { ignoreCase: true });
    return (command) => {
      const name = Buffer.from(command.name, "latin1");
      return glob.matches(name, 0, name.length);
    };
  }
  return SYNTAX_ERROR;
}
