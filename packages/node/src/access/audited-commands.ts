/** Which commands are in the audit trail whenever they run: those that Redis calls dangerous or for administrators. */
import type { RunnableCommand } from "../commands/command.ts";
import type { CommandTable } from "../commands/table.ts";

/** They have events of their own that say more, or are asked every few seconds by monitoring. */
const NOT_BY_CATEGORY: ReadonlySet<string> = new Set([
  "acl|setuser",
  "acl|deluser",
  "acl|load",
  "config|set",
  "info",
  // Each would make the record that the next one returns: who follows the trail would only read itself.
  "ferrite.audit|follow",
  "ferrite.audit|recent",
  "ferrite.audit|since",
  "ferrite.audit|status",
  "ferrite.atrest|rewrap",
  "ferrite.atrest|rotate",
  "ferrite.atrest|status",
]);

export function auditedCommands(table: CommandTable): ReadonlySet<RunnableCommand> {
  const all = table.commands.flatMap((spec) =>
    spec.kind === "container" ? spec.subcommands : [spec],
  );
  return new Set(
    all.filter(
      ({ categories, name }) =>
        (categories.includes("dangerous") || categories.includes("admin")) &&
        !NOT_BY_CATEGORY.has(name),
    ),
  );
}
