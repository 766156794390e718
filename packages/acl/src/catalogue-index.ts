/** What rules ask of the catalogue, computed once for each: which commands a category takes in, and who is whose parent. */
import type { CommandCatalogue, CommandEntry } from "./catalogue.ts";

export class CatalogueIndex {
  readonly catalogue: CommandCatalogue;
  /** By id. */
  readonly entries: readonly CommandEntry[];
  readonly #categories = new Map<string, ReadonlySet<number>>();
  readonly #families: ReadonlySet<number>[] = [];
  readonly #parents = new Map<number, CommandEntry>();

  constructor(catalogue: CommandCatalogue) {
    this.catalogue = catalogue;
    const entries: CommandEntry[] = [];
    for (const command of catalogue.commands) {
      entries[command.id] = command;
      this.#families[command.id] = new Set([
        command.id,
        ...command.subcommands.map((subcommand) => subcommand.id),
      ]);
      for (const subcommand of command.subcommands) {
        entries[subcommand.id] = subcommand;
        this.#families[subcommand.id] = new Set([subcommand.id]);
        this.#parents.set(subcommand.id, command);
      }
    }
    this.entries = entries;
    for (const category of catalogue.categories) {
      this.#categories.set(category, idsOfCategory(catalogue, category));
    }
  }

  /** Ids that a rule about this category changes; undefined when there is no such category. */
  category(name: string): ReadonlySet<number> | undefined {
    return this.#categories.get(name);
  }

  /** Ids that a rule about this command changes: its own and its sub-commands'. */
  idsOf(entry: CommandEntry): ReadonlySet<number> {
    return this.#families[entry.id];
  }

  parentOf(entry: CommandEntry): CommandEntry | undefined {
    return this.#parents.get(entry.id);
  }
}

/** As in Redis: a container that is in the category brings all its sub-commands along. */
function idsOfCategory(catalogue: CommandCatalogue, category: string): ReadonlySet<number> {
  const ids = new Set<number>();
  for (const command of catalogue.commands) {
    const bringsAll = command.categories.includes(category);
    if (bringsAll) ids.add(command.id);
    for (const subcommand of command.subcommands) {
      if (bringsAll || subcommand.categories.includes(category)) ids.add(subcommand.id);
    }
  }
  return ids;
}
