/** `ferrite user delete` */
import { Command } from "commander";
import type { World } from "../world.ts";
import { withConnection, type ConnectionFlags } from "../connection/connection-options.ts";
import { withSession } from "../connection/operator-login.ts";
import { noSuchUser, readUserNames } from "./read-users.ts";

interface DeleteFlags extends ConnectionFlags {
  readonly ignoreNotFound: boolean;
}

const EXAMPLES = `
Their connections are closed on all nodes. The exit status is 1 when one of them did not exist; the others are
deleted all the same.`;

export function userDelete(world: World, finish: (code: number) => void): Command {
  return withConnection(
    new Command("delete")
      .alias("rm")
      .argument("<names...>", "of the users")
      .option("--ignore-not-found", "a user that does not exist is no failure", false),
  )
    .description("delete users")
    .addHelpText("after", EXAMPLES)
    .action(async (names: readonly string[], flags: DeleteFlags) => {
      const { deleted, missing } = await withSession(world, flags, async (session) => {
        const existing = new Set(await readUserNames(session));
        const [there, gone] = [true, false].map((wanted) =>
          [...new Set(names)].filter((name) => existing.has(name) === wanted),
        );
        if (there.length > 0) await session.askOne("ACL", "DELUSER", ...there);
        return { deleted: there, missing: gone };
      });
      if (flags.json) world.print(JSON.stringify({ deleted, notFound: missing }));
      else for (const name of deleted) world.print(`user "${name}" deleted`);
      if (flags.ignoreNotFound || missing.length === 0) return;
      for (const name of missing) world.complain(`ferrite: ${noSuchUser(name).message}`);
      finish(1);
    });
}
