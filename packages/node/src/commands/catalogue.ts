/** The command table as the ACL engine sees it: names, categories and a dense number for each. */
import type { CommandCatalogue, CommandEntry } from "@ferrite/acl";
import type { AclCategory, CommandSpec } from "./command.ts";
import { FORESEEN_COMMANDS } from "./foreseen-commands.ts";
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

/**
 * Numbers every command and sub-command of the table, and those that Redis has and this version does not: rules may name
 * them. A container that can run bare shares its number with that command.
 */
export function commandCatalogue(table: CommandTable): NumberedCatalogue {
  const ids = new Map<CommandSpec, number>();
  const byName = new Map<string, CommandEntry>();
  const enter = (entry: Omit<CommandEntry, "id">): CommandEntry => {
    const numbered: CommandEntry = { id: byName.size, ...entry };
    byName.set(entry.name, numbered);
    return numbered;
  };
  const number = (spec: CommandSpec, subcommands: readonly CommandEntry[]): CommandEntry => {
    const { name, categories, flags } = spec;
    const entry = enter({ name, categories, subcommands, isNoAuth: flags.includes("no_auth") });
    ids.set(spec, entry.id);
    return entry;
  };
  const foresee = (name: string, categories: string): CommandEntry =>
    enter({
      name,
      categories: categories.split(" "),
      subcommands: foreseenSubcommandsOf(name).map(([sub, its]) => foresee(sub, its)),
      isNoAuth: false,
      isForeseen: true,
    });
  const commands = table.commands.map((spec) => {
    if (spec.kind !== "container") return number(spec, []);
    const subcommands = [
      ...spec.subcommands.map((subcommand) => number(subcommand, [])),
      ...foreseenSubcommandsOf(spec.name).map(([name, categories]) => foresee(name, categories)),
    ];
    const entry = number(spec, subcommands);
    if (spec.bare !== undefined) ids.set(spec.bare, entry.id);
    return entry;
  });
  for (const [name, categories] of FORESEEN_COMMANDS) {
    if (!name.includes("|")) commands.push(foresee(name, categories));
  }
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

function foreseenSubcommandsOf(container: string): readonly (readonly [string, string])[] {
  return FORESEEN_COMMANDS.filter(([name]) => name.startsWith(`${container}|`));
}
