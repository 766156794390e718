/**
 * The commands that rules speak of. The server builds the catalogue from its command table; this package knows no
 * command by name. Ids are dense and mean something only within one process: what is stored or sent are names.
 */

export interface CommandEntry {
  /** 0 to `CommandCatalogue.size` - 1: containers and sub-commands each have their own. */
  readonly id: number;
  /** Lower case: "get", "client", "client|kill". */
  readonly name: string;
  /** Without the "@", lower case. */
  readonly categories: readonly string[];
  /** Empty when the command has none. */
  readonly subcommands: readonly CommandEntry[];
  /** Redis' flag no_auth: AUTH, HELLO, QUIT, RESET. */
  readonly isNoAuth: boolean;
  /** Rules may name it, nobody can run it: it comes with a later version (an ACL file of Redis names it today). */
  readonly isForeseen?: boolean;
}

export interface CommandCatalogue {
  readonly size: number;
  /** Top level, in the order that COMMAND lists them. */
  readonly commands: readonly CommandEntry[];
  /** All categories, in Redis' order, also those that no command is in. */
  readonly categories: readonly string[];
  /** By full name in any case: "get", "client", "client|kill". */
  find(name: string): CommandEntry | undefined;
}
