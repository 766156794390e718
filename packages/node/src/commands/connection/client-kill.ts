import type { EdgeCommand } from "../command.ts";
import type { ClientView, EdgeContext } from "../../server/edge-context.ts";
import { SYNTAX_ERROR } from "../error-texts.ts";
import { parseInteger } from "../integer.ts";
import { quotedArgument } from "../refusal.ts";
import { ONLY_CLIENT_TYPE, readClientType, unknownClientType } from "./client-type.ts";
import type { ClientType } from "./client-type.ts";

/** CLIENT KILL ip:port, and CLIENT KILL with filters. */
export const clientKill: EdgeCommand = {
  kind: "edge",
  name: "client|kill",
  summary: "Kill the connection of a client",
  complexity: "O(N) where N is the number of client connections",
  since: "2.4.0",
  group: "connection",
  arity: -3,
  flags: ["admin", "noscript", "loading", "stale"],
  categories: ["admin", "slow", "dangerous", "connection"],
  keySpecs: [],
  arguments: [
    {
      name: "filter",
      type: "oneof",
      arguments: [
        { name: "ip:port", type: "string", deprecatedSince: "2.8.12" },
        {
          name: "new-format",
          type: "oneof",
          flags: ["multiple"],
          arguments: [
            {
              name: "client-id",
              type: "integer",
              token: "ID",
              since: "2.8.12",
              flags: ["optional"],
            },
            {
              name: "normal_master_slave_pubsub",
              type: "oneof",
              token: "TYPE",
              since: "2.8.12",
              flags: ["optional"],
              arguments: [
                { name: "normal", type: "pure-token", token: "NORMAL" },
                { name: "master", type: "pure-token", token: "MASTER", since: "3.2.0" },
                { name: "slave", type: "pure-token", token: "SLAVE" },
                { name: "replica", type: "pure-token", token: "REPLICA", since: "5.0.0" },
                { name: "pubsub", type: "pure-token", token: "PUBSUB" },
              ],
            },
            { name: "username", type: "string", token: "USER", flags: ["optional"] },
            { name: "ip:port", type: "string", token: "ADDR", flags: ["optional"] },
            {
              name: "ip:port",
              type: "string",
              token: "LADDR",
              since: "6.2.0",
              flags: ["optional"],
            },
            { name: "yes/no", type: "string", token: "SKIPME", flags: ["optional"] },
          ],
        },
      ],
    },
  ],
  history: [
    ["2.8.12", "Added new filter format."],
    ["2.8.12", "`ID` option."],
    ["3.2.0", "Added `master` type in for `TYPE` option."],
    [
      "5.0.0",
      "Replaced `slave` `TYPE` with `replica`. `slave` still supported for backward compatibility.",
    ],
    ["6.2.0", "`LADDR` option."],
  ],
  run: runKill,
};

interface KillFilter {
  id?: number;
  type?: ClientType;
  address?: string;
  localAddress?: string;
  user?: string;
  skipSelf: boolean;
}

function runKill(context: EdgeContext): void {
  const { argv, reply } = context;
  if (argv.count === 3) {
    const killed = killMatching(context, { address: argv.latin1(2), skipSelf: false });
    if (killed === 0) reply.error("ERR No such client");
    else reply.ok();
    return;
  }
  const filter: KillFilter = { skipSelf: true };
  for (let index = 2; index < argv.count; index += 2) {
    const problem = index + 1 < argv.count ? readFilter(context, index, filter) : SYNTAX_ERROR;
    if (problem !== null) {
      reply.error(problem);
      return;
    }
  }
  reply.integer(killMatching(context, filter));
}

/** Reads the filter at `index` and its value; an error text or null. */
function readFilter(context: EdgeContext, index: number, filter: KillFilter): string | null {
  const { argv } = context;
  const value = index + 1;
  if (argv.isWord(index, "ID")) {
    const id = parseInteger(argv.buffer, argv.starts[value], argv.ends[value]);
    if (id === null || id < 1) return "ERR client-id should be greater than 0";
    filter.id = Number(id);
  } else if (argv.isWord(index, "TYPE")) {
    const type = readClientType(argv, value);
    if (type === null) return unknownClientType(argv, value);
    filter.type = type;
  } else if (argv.isWord(index, "ADDR")) {
    filter.address = argv.latin1(value);
  } else if (argv.isWord(index, "LADDR")) {
    filter.localAddress = argv.latin1(value);
  } else if (argv.isWord(index, "USER")) {
    const user = argv.latin1(value);
    if (context.server.access.users().get(user) === undefined)
      return `ERR No such user '${quotedArgument(argv, value)}'`;
    filter.user = user;
  } else if (argv.isWord(index, "SKIPME")) {
    const yes = argv.isWord(value, "YES");
    if (!yes && !argv.isWord(value, "NO")) return SYNTAX_ERROR;
    filter.skipSelf = yes;
  } else {
    return SYNTAX_ERROR;
  }
  return null;
}

/** Ends the clients that match; the one that asks gets its answer first. */
function killMatching(context: EdgeContext, filter: KillFilter): number {
  const matching: ClientView[] = [];
  for (const client of context.server.clients()) {
    const spared = filter.skipSelf && client === context.client;
    if (!spared && matches(client, filter)) matching.push(client);
  }
  for (const client of matching) client.close(client === context.client);
  return matching.length;
}

function matches(client: ClientView, filter: KillFilter): boolean {
  if (filter.id !== undefined && client.id !== filter.id) return false;
  if (filter.type !== undefined && filter.type !== ONLY_CLIENT_TYPE) return false;
  if (filter.address !== undefined && client.address !== filter.address) return false;
  if (filter.localAddress !== undefined && client.localAddress !== filter.localAddress)
    return false;
  return filter.user === undefined || client.user === filter.user;
}
