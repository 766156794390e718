import type { EdgeCommand } from "../command.ts";
import type { ClientView, EdgeContext } from "../../server/edge-context.ts";
import { SYNTAX_ERROR } from "../error-texts.ts";
import { parseInteger } from "../integer.ts";
import { clientLine } from "./client-line.ts";
import { ONLY_CLIENT_TYPE, readClientType, unknownClientType } from "./client-type.ts";

/** CLIENT LIST [TYPE type | ID id [id ...]] */
export const clientList: EdgeCommand = {
  kind: "edge",
  name: "client|list",
  summary: "Get the list of client connections",
  complexity: "O(N) where N is the number of client connections",
  since: "2.4.0",
  group: "connection",
  arity: -2,
  flags: ["admin", "noscript", "loading", "stale"],
  categories: ["admin", "slow", "dangerous", "connection"],
  keySpecs: [],
  arguments: [
    {
      name: "normal_master_replica_pubsub",
      type: "oneof",
      token: "TYPE",
      since: "5.0.0",
      flags: ["optional"],
      arguments: [
        { name: "normal", type: "pure-token", token: "NORMAL" },
        { name: "master", type: "pure-token", token: "MASTER" },
        { name: "replica", type: "pure-token", token: "REPLICA" },
        { name: "pubsub", type: "pure-token", token: "PUBSUB" },
      ],
    },
    {
      name: "id",
      type: "block",
      token: "ID",
      since: "6.2.0",
      flags: ["optional"],
      arguments: [{ name: "client-id", type: "integer", flags: ["multiple"] }],
    },
  ],
  history: [
    ["2.8.12", "Added unique client `id` field."],
    ["5.0.0", "Added optional `TYPE` filter."],
    ["6.0.0", "Added `user` field."],
    [
      "6.2.0",
      "Added `argv-mem`, `tot-mem`, `laddr` and `redir` fields and the optional `ID` filter.",
    ],
    ["7.0.0", "Added `resp`, `multi-mem`, `rbs` and `rbp` fields."],
    ["7.0.3", "Added `ssub` field."],
  ],
  tips: ["nondeterministic_output"],
  run: runList,
};

function runList(context: EdgeContext): void {
  const chosen = chooseClients(context);
  if (typeof chosen === "string") {
    context.reply.error(chosen);
    return;
  }
  const nowMs = context.server.nowMs();
  let text = "";
  for (const client of chosen) text += `${clientLine(client, nowMs)}\n`;
  context.reply.verbatim("txt", Buffer.from(text, "latin1"));
}

/** The clients asked for, or an error text. */
function chooseClients({ argv, server }: EdgeContext): Iterable<ClientView> | string {
  if (argv.count === 2) return server.clients();
  if (argv.count === 4 && argv.isWord(2, "TYPE")) {
    const type = readClientType(argv, 3);
    if (type === null) return unknownClientType(argv, 3);
    return type === ONLY_CLIENT_TYPE ? server.clients() : [];
  }
  if (argv.count > 3 && argv.isWord(2, "ID")) {
    const found: ClientView[] = [];
    for (let index = 3; index < argv.count; index++) {
      const id = parseInteger(argv.buffer, argv.starts[index], argv.ends[index]);
      if (id === null) return "ERR Invalid client ID";
      const client = server.clientById(Number(id));
      if (client !== undefined) found.push(client);
    }
    return found;
  }
  return SYNTAX_ERROR;
}
