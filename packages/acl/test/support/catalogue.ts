/** A small command table with everything rules can speak of: sub-commands, no_auth, and commands in several categories. */
import type { CommandCatalogue, CommandEntry } from "../../src/catalogue.ts";

const CATEGORIES = [
  "keyspace",
  "read",
  "write",
  "string",
  "hyperloglog",
  "pubsub",
  "admin",
  "fast",
  "slow",
  "dangerous",
  "connection",
];

type Row = readonly [name: string, categories: string, subcommands?: readonly Row[]];

const ROWS: readonly Row[] = [
  ["get", "read string fast"],
  ["set", "write string slow"],
  ["mget", "read string fast"],
  ["getex", "write string fast"],
  ["del", "keyspace write slow"],
  ["exists", "keyspace read fast"],
  ["keys", "keyspace read slow dangerous"],
  ["flushall", "keyspace write slow dangerous"],
  ["debug", "admin slow dangerous"],
  ["publish", "pubsub fast"],
  ["subscribe", "pubsub slow"],
  ["psubscribe", "pubsub slow"],
  ["select", "fast connection"],
  ["ping", "fast connection"],
  ["auth", "fast connection"],
  ["hello", "fast connection"],
  ["quit", "fast connection"],
  ["reset", "fast connection"],
  [
    "client",
    "slow",
    [
      ["client|kill", "admin slow dangerous connection"],
      ["client|list", "admin slow dangerous connection"],
      ["client|setname", "slow connection"],
    ],
  ],
  [
    "config",
    "slow",
    [
      ["config|get", "admin slow dangerous"],
      ["config|set", "admin slow dangerous"],
    ],
  ],
];

const NO_AUTH = new Set(["auth", "hello", "quit", "reset"]);

/** @param without names to leave out, as an older version would */
export function testCatalogue(without: readonly string[] = []): CommandCatalogue {
  const byName = new Map<string, CommandEntry>();
  const entryOf = ([name, categories, subcommands = []]: Row): CommandEntry => {
    const entry: CommandEntry = {
      id: byName.size,
      name,
      categories: categories.split(" "),
      subcommands: [],
      isNoAuth: NO_AUTH.has(name),
    };
    byName.set(name, entry);
    const withSubcommands = { ...entry, subcommands: subcommands.map(entryOf) };
    byName.set(name, withSubcommands);
    return withSubcommands;
  };
  const commands = ROWS.filter(([name]) => !without.includes(name)).map(entryOf);
  return {
    size: byName.size,
    commands,
    categories: CATEGORIES,
    find: (name) => byName.get(name.toLowerCase()),
  };
}

/** Full names of all commands and sub-commands. */
export function commandNames(catalogue: CommandCatalogue): string[] {
  return catalogue.commands.flatMap((command) => [
    command.name,
    ...command.subcommands.map(({ name }) => name),
  ]);
}
