/** `ferrite user passwd` */
import { Command } from "commander";
import type { World } from "../world.ts";
import { withConnection, type ConnectionFlags } from "../connection/connection-options.ts";
import { checkSource, newPassword, type PasswordSource } from "./new-password.ts";
import { withSession } from "../connection/operator-login.ts";
import { existingUser } from "./read-users.ts";

interface PasswdFlags extends ConnectionFlags, PasswordSource {
  readonly add: boolean;
  readonly loginPasswordFile?: string;
}

const EXAMPLES = `
Without an option the new password is asked for at the terminal. A generated one is printed once, alone on standard
output, and can not be shown again.

Examples:
  $ ferrite user passwd reader
  $ ferrite user passwd reader --generate > reader.secret
  $ ferrite user passwd reader --password-file new.secret --add    the old one stays good meanwhile`;

export function userPasswd(world: World): Command {
  return withConnection(
    new Command("passwd")
      .argument("<name>", "of the user")
      .option("--password-file <file>", "the new password; - is standard input")
      .option("--stdin", "the new password is what standard input holds", false)
      .option("--generate", "make one of 256 random bits, and print it", false)
      .option("--add", "keep the passwords that the user has", false),
  )
    .description("give a user a password, in place of those it has")
    .addHelpText("after", EXAMPLES)
    .action(async (name: string, flags: PasswdFlags) => {
      checkSource(flags);
      const password = await withSession(world, flags, async (session) => {
        await existingUser(session, name);
        const fresh = await newPassword(world, name, flags);
        const rules = flags.add ? [`>${fresh}`] : ["resetpass", `>${fresh}`];
        await session.askOne("ACL", "SETUSER", name, ...rules);
        return fresh;
      });
      tell(world, { name, password, flags });
    });
}

function tell(
  world: World,
  { name, password, flags }: { name: string; password: string; flags: PasswdFlags },
): void {
  const shown = flags.generate ? { password } : {};
  if (flags.json) {
    world.print(JSON.stringify({ name, outcome: "changed", ...shown }));
    return;
  }
  if (flags.generate) {
    world.complain(`The new password of "${name}", shown this once:`);
    world.print(password);
  } else {
    world.print(`password of "${name}" changed`);
  }
}
