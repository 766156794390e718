/** `ferrite user`: who may do what, in the whole cluster. */
import { Command } from "commander";
import type { World } from "../world.ts";
import { userDelete } from "./user-delete.ts";
import { userExplain } from "./user-explain.ts";
import { userList } from "./user-list.ts";
import { userPasswd } from "./user-passwd.ts";
import { userSet } from "./user-set.ts";
import { userShow } from "./user-show.ts";

const EXAMPLES = `
Examples:
  $ ferrite user list
  $ ferrite user set reader on '~app:*' +@read
  $ ferrite user passwd reader --generate
  $ ferrite user explain reader set app:1 x
  $ ferrite user delete reader

A change that is reported as done holds on every node that is in contact.`;

/** `finish` takes the exit status. */
export function userCommand(world: World, finish: (code: number) => void): Command {
  const command = new Command("user")
    .description("show and change the users of a cluster, and what they may do")
    .enablePositionalOptions()
    .addHelpText("after", EXAMPLES);
  const subcommands = [
    userList(world),
    userShow(world),
    userSet(world),
    userPasswd(world),
    userExplain(world, finish),
    userDelete(world, finish),
  ];
  for (const subcommand of subcommands) command.addCommand(subcommand);
  return command;
}
