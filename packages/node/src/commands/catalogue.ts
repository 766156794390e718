/** The command table as the ACL engine sees it: names, categories and a dense number for each. */
import type { CommandCatalogue, CommandEntry } from "@ferrite/acl";
import type { AclCategory, CommandSpec } from "./command.ts";
import type { CommandTable } from "./table.ts";

/** Redis' categories in the order of ACL CAT. */
export const ACL_CATEGORIES: readonly AclCategory[] = [
  "keyspace",
  "read",
  "write",
  "set",
  "sortedset",
  "list",
  "hash",
  "string",
  "bitmap",
  "hyperloglog",
  "geo",
  "stream",
  "pubsub",
  "admin",
  "fast",
  "slow",
  "blocking",
  "dangerous",
  "connection",
  "transaction",
  "scripting",
];

/** The catalogue with the way back from a command to its number. */
export interface NumberedCatalogue extends CommandCatalogue {
  idOf(command: CommandSpec): number;
}

/** Numbers every command and sub-command of the table. A container that can run bare shares its number with that command. */
export function commandCatalogue(table: CommandTable): NumberedCatalogue {
  const ids = new Map<CommandSpec, number>();
  const byName = new Map<string, CommandEntry>();
  const number = (spec: CommandSpec, subcommands: readonly CommandEntry[]): CommandEntry => {
    const entry: CommandEntry = {
      id: byName.size,
      name: spec.name,
      categories: spec.categories,
      subcommands,
      isNoAuth: spec.flags.includes("no_auth"),
    };
    ids.set(spec, entry.id);
    byName.set(spec.name, entry);
    return entry;
  };
  const commands = table.commands.map((spec) => {
    if (spec.kind !== "container") return number(spec, []);
    const entry = number(
      spec,
      spec.subcommands.map((subcommand) => number(subcommand, [])),
    );
    if (spec.bare !== undefined) ids.set(spec.bare, entry.id);
    return entry;
  });
  return {
    size: byName.size,
    commands,
    categories: ACL_CATEGORIES,
    find: (name) => byName.get(name.toLowerCase()),
    idOf: (command) => {
      const id = ids.get(command);
      if (id === undefined) throw new Error(`invariant: ${command.name} is not in the table`);
      return id;
    },
  };
}
