/** `ferrite user set`: ACL SETUSER without passwords. */
import { Command } from "commander";
import { CliError } from "../errors.ts";
import type { World } from "../world.ts";
import { withConnection, type ConnectionFlags } from "../connection/connection-options.ts";
import { withSession } from "../connection/operator-login.ts";
import { readUser } from "./read-users.ts";

interface SetFlags extends ConnectionFlags {
  readonly allowPasswordArguments: boolean;
}

const EXAMPLES = `
Rules are Redis' ACL rules, applied from left to right on top of those the user has; a new user may do nothing.
Options come before the name: what follows it are rules.

Examples:
  $ ferrite user set reader on '~app:*' +@read
  $ ferrite user set reader reset            back to nothing
  $ ferrite user set --port 6479 batch on '%R~in:*' '%W~out:*' +get +set expire-in=86400`;

export function userSet(world: World): Command {
  return withConnection(
    new Command("set")
      .argument("<name>", "of the user; it is made when there is none")
      .argument("[rules...]", "on, off, +get, -@dangerous, ~pattern and so on")
      .option(
        "--allow-password-arguments",
        "let rules be passwords (>secret), for other users of this machine to see",
        false,
      ),
  )
    .description("make a user, or change what it may do")
    .passThroughOptions()
    .addHelpText("after", EXAMPLES)
    .action(async (name: string, rules: readonly string[], flags: SetFlags) => {
      checkRules(rules, flags);
      const outcome = await withSession(world, flags, async (session) => {
        const before = await readUser(session, name);
        await session.askOne("ACL", "SETUSER", name, ...rules);
        return before === null ? "created" : "configured";
      });
      if (flags.json) world.print(JSON.stringify({ name, outcome }));
      else world.print(`user "${name}" ${outcome}`);
    });
}

/** @throws CliError badArgument */
function checkRules(rules: readonly string[], flags: SetFlags): void {
  const option = rules.find((rule) => rule.startsWith("--"));
  if (option !== undefined) {
    throw new CliError(
      "badArgument",
      `${option} is no rule; options come before the name of the user`,
    );
  }
  if (flags.allowPasswordArguments || !rules.some((rule) => /^[<>]/.test(rule))) return;
  throw new CliError(
    "badArgument",
    "a password on the command line is seen by everybody on this machine and stays in the shell's history; " +
      "use `ferrite user passwd`, or insist with --allow-password-arguments",
  );
}
