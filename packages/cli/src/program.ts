/** The command line: which commands there are, and how their failures are told. */
import { ConfigError } from "@ferrite/node/config";
import { Command, CommanderError } from "commander";
import { auditCommand } from "./audit/audit-command.ts";
import { CertificateError } from "./certs/errors.ts";
import { devCommand } from "./dev/dev-command.ts";
import { CliError } from "./errors.ts";
import { memberCommand } from "./member/member-command.ts";
import { startCommand } from "./start/start-command.ts";
import { statusCommand } from "./status/status-command.ts";
import { userCommand } from "./user/user-command.ts";
import { SIGNAL_EXIT_CODES, type World } from "./world.ts";

const EXAMPLES = `
Examples:
  $ ferrite dev                        three nodes on this machine
  $ ferrite start                      one node, complete in itself
  $ ferrite status --port 6479         the whole cluster, seen from one node
  $ ferrite member list                who belongs to the cluster
  $ ferrite user list                  who may do what
  $ ferrite certs init                 an authority for the certificates of a cluster

\`ferrite <command> --help\` tells more.`;

/** Carries out one command line (without Node and script) and resolves with the exit status. */
export async function run(args: readonly string[], world: World): Promise<number> {
  let code = 0;
  const program = await createProgram(args, world, (status) => {
    code = status;
  });
  try {
    await program.parseAsync(args, { from: "user" });
    return code;
  } catch (error) {
    return tellFailure(error, world);
  }
}

async function createProgram(
  args: readonly string[],
  world: World,
  finish: (code: number) => void,
): Promise<Command> {
  const program = new Command("ferrite")
    .enablePositionalOptions()
    .description("A Redis-compatible cluster in which every write is agreed before it counts.")
    .version(world.version, "-V, --version")
    .addHelpText("after", EXAMPLES);
  const commands = [
    devCommand(world, finish),
    startCommand(world, finish),
    statusCommand(world, finish),
    memberCommand(world),
    userCommand(world, finish),
    auditCommand(world, finish),
  ];
  if (!commands.some((command) => command.name() === args[0])) {
    // Slow to load, so that commands which have no use for it do without.
    const { certsCommand } = await import("./certs/index.ts");
    commands.push(certsCommand(world, finish));
  }
  for (const command of commands) program.addCommand(command);
  configure(program, world);
  return program;
}

/** Every command writes through the world and throws where commander would end the process. */
function configure(command: Command, world: World): void {
  command
    .exitOverride()
    .showHelpAfterError("(--help shows what there is)")
    .configureOutput({
      writeOut: (text) => world.print(text.replace(/\n$/, "")),
      writeErr: (text) => world.complain(text.replace(/\n$/, "")),
    });
  for (const child of command.commands) configure(child, world);
}

/** One clear message, no stack, for what a person can repair; everything else is a defect and keeps its stack. */
function tellFailure(error: unknown, world: World): number {
  if (error instanceof CommanderError) return error.exitCode;
  if (error instanceof ConfigError) {
    for (const line of error.message.split("\n")) world.complain(`ferrite: ${line}`);
    return 1;
  }
  if (error instanceof CliError) {
    world.complain(`ferrite: ${error.message}`);
    return error.code === "interrupted" ? SIGNAL_EXIT_CODES.SIGINT : 1;
  }
  if (error instanceof CertificateError) {
    world.complain(`ferrite: ${error.message}`);
    return 1;
  }
  throw error;
}
