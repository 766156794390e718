/** `ferrite start`: one node, from flags, environment and a file. */
import { parseConfig, readConfigFile } from "@ferrite/node/config";
import { Command, Option } from "commander";
import type { World } from "../world.ts";
import { addSettingOptions, givenFlags } from "./setting-options.ts";

const EXAMPLES = `
Settings come from flags, then FERRITE_* variables (peer-port is FERRITE_PEER_PORT), then the file, then defaults.

Examples:
  $ ferrite start                                      a complete cluster of one on port 6379
  $ ferrite start ferrite.conf --port 7000             a file, with one setting of it replaced
  $ ferrite start --node-name n1 --peers n1=10.0.0.1:16379,n2=10.0.0.2:16379,n3=10.0.0.3:16379 \\
      --peer-bind 0.0.0.0 --peer-tls-cert-file certs/n1.crt --peer-tls-key-file certs/n1.key \\
      --peer-tls-ca-cert-file certs/ca.crt             one of three nodes`;

/** `finish` takes the exit status. */
export function startCommand(world: World, finish: (code: number) => void): Command {
  const command = new Command("start").description("start one node");
  command.argument("[file]", "settings in redis.conf syntax (or FERRITE_CONFIG)");
  command.option("--config <file>", "the same");
  addSettingOptions(command);
  command.addOption(new Option("--supervised").hideHelp());
  command.addHelpText("after", EXAMPLES);
  command.action(async (file: string | undefined, options: Readonly<Record<string, unknown>>) => {
    if (file !== undefined && options["config"] !== undefined) {
      command.error(`error: the file of settings is given twice: ${file} and --config`);
    }
    const path = file ?? options["config"] ?? world.environment["FERRITE_CONFIG"];
    const { config, warnings } = parseConfig(
      {
        flags: givenFlags(options),
        environment: world.environment,
        file: typeof path === "string" ? readConfigFile(path) : null,
      },
      {
        hostname: world.hostname,
        workingDirectory: world.workingDirectory,
        isTerminal: world.isTerminal,
      },
    );
    const supervised = options["supervised"] === true;
    // Loads the whole server: only now that there is something to start.
    const { runNode } = await import("./start-node.ts");
    finish(await runNode({ config, warnings, supervised }, world));
  });
  return command;
}
