/**
 * What becomes of a large request by its first arguments alone (S20, S23): only who may run the command gets the room
 * for the rest of it. The order of refusals is that of requests that are here: no such command, wrong number of
 * arguments, not allowed.
 */
import { acceptsCount } from "../commands/arity.ts";
import type { CommandSpec } from "../commands/command.ts";
import { wrongArityText } from "../commands/refusal.ts";
import type { CommandTable } from "../commands/table.ts";
import type { Argv } from "../resp/argv.ts";
import type { RequestGate } from "../resp/request-gate.ts";

export class UnreadRequestGate implements RequestGate {
  readonly #table: CommandTable;
  readonly #nameRefusal: (command: CommandSpec) => string | null;

  /** `nameRefusal`: the error of a client that may not run this command with any arguments, or null. */
  constructor(table: CommandTable, nameRefusal: (command: CommandSpec) => string | null) {
    this.#table = table;
    this.#nameRefusal = nameRefusal;
  }

  judge(argv: Argv, argumentCount: number): string | null {
    const command = this.#table.resolve(argv);
    if (command === null) return this.#table.refusal(argv);
    // What is missing of a sub-command's name is larger than any there is.
    if (argv.count === 1 && argumentCount > 1 && this.#isContainer(command)) {
      return `ERR unknown subcommand. Try ${command.name.toUpperCase()} HELP.`;
    }
    if (!acceptsCount(command.arity, argumentCount)) return wrongArityText(command);
    return this.#nameRefusal(command);
  }

  /** Also for the command that a container runs without a sub-command, which has its name. */
  #isContainer(command: CommandSpec): boolean {
    return this.#table.byName(command.name)?.kind === "container";
  }
}
