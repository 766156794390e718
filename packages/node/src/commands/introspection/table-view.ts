/** What the COMMAND family needs of the table it is itself part of. */
import type { Argv } from "../../resp/argv.ts";
import type { CommandSpec } from "../command.ts";

export interface TableView {
  /** Sorted by name, containers without their sub-commands. */
  readonly commands: readonly CommandSpec[];
  /** By full name in any case. */
  byName(name: string): CommandSpec | null;
  /** The command a request means, its number of arguments unchecked. */
  resolve(argv: Argv): CommandSpec | null;
}
