/** `ferrite user list` */
import { Command } from "commander";
import type { World } from "../world.ts";
import { withConnection, type ConnectionFlags } from "../connection/connection-options.ts";
import { withSession } from "../connection/operator-login.ts";
import { readUsers } from "./read-users.ts";
import { userTable } from "./render-users.ts";

export function userList(world: World): Command {
  return withConnection(new Command("list").alias("ls"))
    .description("list all users")
    .action(async (flags: ConnectionFlags) => {
      const users = await withSession(world, flags, readUsers);
      if (flags.json) world.print(JSON.stringify(users, null, 2));
      else for (const line of userTable(users, world.style)) world.print(line);
    });
}
