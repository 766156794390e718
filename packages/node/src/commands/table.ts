/**
 * All commands, found by the bytes of their name. Looking up allocates nothing: the name is hashed and compared as
 * it stands in the request, in any case.
 *
 *   argv  [ "cLiEnT", "kill", ... ]
 *             |          `--> NameIndex of the container "client"  -> client|kill
 *             `--> NameIndex of the table                          -> client
 */
import type { Argv } from "../resp/argv.ts";
import type { CommandSpec, ContainerCommand, RunnableCommand, WriteCommand } from "./command.ts";
import { acceptsCount } from "./arity.ts";
import { NameIndex } from "./name-index.ts";
import { unknownCommandText, unknownSubcommandText, wrongArityText } from "./refusal.ts";

export class CommandTable {
  /** Sorted by name. */
  readonly commands: readonly CommandSpec[];
  readonly #index: NameIndex<TableEntry>;

  /** Throws when two commands have one name. */
  constructor(commands: readonly CommandSpec[]) {
    this.commands = commands.toSorted((a, b) => (a.name < b.name ? -1 : 1));
    this.#index = new NameIndex(commands.map((spec) => [spec.name, toEntry(spec)]));
  }

  /**
   * The command a request means, its sub-command already chosen and the number of arguments checked; null when there
   * is none or the number is wrong: `refusal` has the words.
   */
  lookup(argv: Argv): RunnableCommand | null {
    if (argv.count === 0) return null;
    const entry = this.#index.find(argv.buffer, argv.starts[0], argv.ends[0]);
    if (entry === null) return null;
    const runnable = entry.runnable;
    if (runnable !== null) return acceptsCount(runnable.arity, argv.count) ? runnable : null;
    return lookupInContainer(entry, argv);
  }

  /** The write a request means, or null. */
  lookupWrite(argv: Argv): WriteCommand | null {
    const command = this.lookup(argv);
    return command !== null && command.kind === "write" ? command : null;
  }

  /** Like `lookup`, but whatever the number of arguments: for statistics and checks before the arity counts. */
  resolve(argv: Argv): CommandSpec | null {
    if (argv.count === 0) return null;
    const entry = this.#index.find(argv.buffer, argv.starts[0], argv.ends[0]);
    if (entry === null) return null;
    if (entry.subcommands === null) return entry.spec;
    if (argv.count === 1) return entry.bare ?? entry.spec;
    return entry.subcommands.find(argv.buffer, argv.starts[1], argv.ends[1]);
  }

  /** Why `lookup` found nothing, as Redis 7.0 words it. */
  refusal(argv: Argv): string {
    const entry =
      argv.count === 0 ? null : this.#index.find(argv.buffer, argv.starts[0], argv.ends[0]);
    if (entry === null) return unknownCommandText(argv);
    const command = this.resolve(argv);
    if (command === null) return unknownSubcommandText(argv);
    return wrongArityText(command);
  }

  /** By full name in any case: "get", "client", "client|kill". */
  byName(name: string): CommandSpec | null {
    const [first = "", second, ...more] = name.split("|");
    const entry = this.#findText(first);
    if (entry === null || second === undefined) return entry?.spec ?? null;
    if (entry.subcommands === null || more.length > 0) return null;
    const bytes = Buffer.from(second, "latin1");
    return entry.subcommands.find(bytes, 0, bytes.length);
  }

  #findText(name: string): TableEntry | null {
    const bytes = Buffer.from(name, "latin1");
    return this.#index.find(bytes, 0, bytes.length);
  }
}

interface TableEntry {
  readonly spec: CommandSpec;
  /** Null for a container. */
  readonly runnable: RunnableCommand | null;
  readonly subcommands: NameIndex<RunnableCommand> | null;
  readonly bare: RunnableCommand | null;
}

function toEntry(spec: CommandSpec): TableEntry {
  if (spec.kind !== "container") {
    return { spec, runnable: spec, subcommands: null, bare: null };
  }
  return { spec, runnable: null, subcommands: indexSubcommands(spec), bare: spec.bare ?? null };
}

function indexSubcommands(container: ContainerCommand): NameIndex<RunnableCommand> {
  const prefix = `${container.name}|`;
  return new NameIndex(
    container.subcommands.map((spec) => {
      if (!spec.name.startsWith(prefix)) {
        throw new Error(`sub-command ${spec.name} is not named after ${container.name}`);
      }
      return [spec.name.slice(prefix.length), spec] as const;
    }),
  );
}

function lookupInContainer(entry: TableEntry, argv: Argv): RunnableCommand | null {
  if (argv.count === 1) return entry.bare;
  const found = entry.subcommands!.find(argv.buffer, argv.starts[1], argv.ends[1]);
  return found !== null && acceptsCount(found.arity, argv.count) ? found : null;
}
