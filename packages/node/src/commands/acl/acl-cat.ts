import type { CommandCatalogue, CommandEntry } from "@ferrite/acl";
import type { EdgeContext } from "../../server/edge-context.ts";
import type { EdgeCommand } from "../command.ts";
import { quotedArgument } from "../refusal.ts";
import { replyByteStrings } from "./byte-string.ts";
import { subcommandSyntaxText } from "./subcommand-syntax.ts";

/** ACL CAT [categoryname] */
export const aclCat: EdgeCommand = {
  kind: "edge",
  name: "acl|cat",
  summary: "List the ACL categories or the commands inside a category",
  complexity: "O(1) since the categories and commands are a fixed set.",
  since: "6.0.0",
  group: "server",
  arity: -2,
  flags: ["noscript", "loading", "stale"],
  categories: ["slow"],
  keySpecs: [],
  arguments: [{ name: "categoryname", type: "string", flags: ["optional"] }],
  run: runCat,
};

function runCat({ argv, reply, server }: EdgeContext): void {
  const { catalogue } = server.access;
  if (argv.count === 2) return replyByteStrings(reply, catalogue.categories);
  if (argv.count > 3) return reply.error(subcommandSyntaxText(argv));
  const category = argv.latin1(2).toLowerCase();
  if (!catalogue.categories.includes(category)) {
    return reply.error(`ERR Unknown category '${quotedArgument(argv, 2)}'`);
  }
  return replyByteStrings(reply, commandsIn(catalogue, category));
}

/** Sub-commands follow their container, which may be of another category. */
function commandsIn(catalogue: CommandCatalogue, category: string): string[] {
  const isIn = ({ categories, isForeseen }: CommandEntry): boolean =>
    isForeseen !== true && categories.includes(category);
  return catalogue.commands
    .flatMap((command) => [command, ...command.subcommands])
    .filter(isIn)
    .map(({ name }) => name);
}
