/** What rules ask of the catalogue, computed once for each: which commands a category takes in, and who is whose parent. */
import type { CommandCatalogue, CommandEntry } from "./catalogue.ts";

/** One bit for each command: bit `id & 31` of word `id >>> 5`. */
export type CommandMask = Uint32Array;

export class CatalogueIndex {
  readonly catalogue: CommandCatalogue;
  /** By id. */
  readonly entries: readonly CommandEntry[];
  /** Commands that are granted by name only: new ones under `acl-new-commands deny` (S10). */
  readonly withheld: ReadonlySet<number>;
  readonly #granted = new Map<string, ReadonlySet<number>>();
  readonly #denied = new Map<string, ReadonlySet<number>>();
  readonly #families: ReadonlySet<number>[] = [];
  readonly #parents = new Map<number, CommandEntry>();
  readonly #masks = new Map<ReadonlySet<number>, CommandMask>();
  readonly #all: ReadonlySet<number>;
  static readonly #plain = new WeakMap<CommandCatalogue, CatalogueIndex>();

  /** The one of this catalogue from which nothing is withheld: made once, however many tables of users there are. */
  static of(catalogue: CommandCatalogue): CatalogueIndex {
    let index = CatalogueIndex.#plain.get(catalogue);
    if (index === undefined) {
      index = new CatalogueIndex(catalogue);
      CatalogueIndex.#plain.set(catalogue, index);
    }
    return index;
  }

  constructor(catalogue: CommandCatalogue, withheld: ReadonlySet<number> = new Set()) {
    this.catalogue = catalogue;
    this.withheld = withheld;
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
    this.#all = without(new Set(entries.keys()), withheld);
    for (const category of catalogue.categories) {
      const ids = idsOfCategory(catalogue, category);
      this.#denied.set(category, ids);
      this.#granted.set(category, without(ids, withheld));
    }
  }

  hasCategory(name: string): boolean {
    return this.#denied.has(name);
  }

  /** Ids that `+@category` or `-@category` changes. */
  idsOfCategory(name: string, isAllowed: boolean): ReadonlySet<number> {
    return (isAllowed ? this.#granted : this.#denied).get(name) ?? new Set();
  }

  /** Ids that a rule about this command changes: its own and its sub-commands'. */
  idsOf(entry: CommandEntry): ReadonlySet<number> {
    return this.#families[entry.id];
  }

  /** Ids that `+@all` grants. */
  get all(): ReadonlySet<number> {
    return this.#all;
  }

  /** The set as a mask; of the sets above only, which are few: computed once for each. */
  maskOf(ids: ReadonlySet<number>): CommandMask {
    const known = this.#masks.get(ids);
    if (known !== undefined) return known;
    const mask = new Uint32Array((this.catalogue.size + 31) >>> 5);
    for (const id of ids) mask[id >>> 5] |= 1 << (id & 31);
    this.#masks.set(ids, mask);
    return mask;
  }

  parentOf(entry: CommandEntry): CommandEntry | undefined {
    return this.#parents.get(entry.id);
  }
}

function without(ids: ReadonlySet<number>, removed: ReadonlySet<number>): ReadonlySet<number> {
  return removed.size === 0 ? ids : new Set([...ids].filter((id) => !removed.has(id)));
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
