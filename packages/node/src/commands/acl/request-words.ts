/** A request that is given as arguments of another one: ACL DRYRUN and ACL EXPLAIN. */
import type { CommandCatalogue } from "@ferrite/acl";
import type { Argv } from "../../resp/argv.ts";

/** The words behind "ACL DRYRUN username", copied. */
export function requestWords(argv: Argv): Buffer[] {
  const words: Buffer[] = [];
  for (let index = 3; index < argv.count; index++) words.push(Buffer.from(argv.bytes(index)));
  return words;
}

/** Full name of the command that runs, lower case: "get", "client|kill". */
export function commandName(catalogue: CommandCatalogue, words: readonly Buffer[]): string {
  const [first = "", second] = words.slice(0, 2).map((word) => word.toString("latin1"));
  const subcommand = second === undefined ? undefined : catalogue.find(`${first}|${second}`);
  return (subcommand ?? catalogue.find(first))?.name ?? first;
}
