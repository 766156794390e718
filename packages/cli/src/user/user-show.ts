/** `ferrite user show` */
import { Command } from "commander";
import type { World } from "../world.ts";
import { withConnection, type ConnectionFlags } from "../connection/connection-options.ts";
import { withSession } from "../connection/operator-login.ts";
import { existingUser } from "./read-users.ts";
import { userLines } from "./render-users.ts";

export function userShow(world: World): Command {
  return withConnection(new Command("show").argument("<name>", "of the user"))
    .description("show what one user may do")
    .action(async (name: string, flags: ConnectionFlags) => {
      const user = await withSession(world, flags, (session) => existingUser(session, name));
      if (flags.json) world.print(JSON.stringify(user, null, 2));
      else for (const line of userLines(user, world.style)) world.print(line);
    });
}
