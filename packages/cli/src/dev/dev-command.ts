/** `ferrite dev`: a whole cluster on this machine. */
import { resolve } from "node:path";
import type { FlagValue } from "@ferrite/node/config";
import { Command, InvalidArgumentError, Option } from "commander";
import { collectSet } from "../start/setting-options.ts";
import type { World } from "../world.ts";
import { BASE_PORT_DEFAULT, DATA_DIRECTORY_DEFAULT, NODE_COUNTS } from "./plan.ts";
import { runCluster } from "./run-cluster.ts";

const EXAMPLES = `
Node 1 serves Redis clients on the base port, node 2 on 100 more, and so on. TLS is at one more, peers are at 10000
more, HTTP at 8080 for a base port of 6379 and shifted with it. Certificates are made at the first start and renewed
before they expire; certs/client-dev.crt in the data directory is one for clients.

Examples:
  $ ferrite dev                                  three nodes on 6379, 6479 and 6579
  $ ferrite dev --nodes 1                        one node
  $ ferrite dev --base-port 7379 --data-dir two  a second cluster beside the first
  $ ferrite dev --set maxmemory=1gb              with a setting for every node`;

interface DevFlags {
  readonly nodes: string;
  readonly basePort: number;
  readonly dataDir: string;
  readonly tls: boolean;
  readonly set: readonly FlagValue[];
}

/** `finish` takes the exit status. */
export function devCommand(world: World, finish: (code: number) => void): Command {
  return new Command("dev")
    .description("start a cluster on this machine, for development")
    .addOption(
      new Option("--nodes <count>", "how many nodes").choices(NODE_COUNTS.map(String)).default("3"),
    )
    .option("--base-port <port>", "the first node's port for clients", parsePort, BASE_PORT_DEFAULT)
    .option(
      "--data-dir <path>",
      "where data, certificates and logs are kept",
      DATA_DIRECTORY_DEFAULT,
    )
    .option("--no-tls", "no TLS for clients, and no port for it")
    .option("--set <name=value>", "a setting for every node (repeatable)", collectSet, [])
    .addHelpText("after", EXAMPLES)
    .action(async (flags: DevFlags) => {
      const code = await runCluster(
        {
          nodes: Number(flags.nodes),
          basePort: flags.basePort,
          dataDirectory: resolve(world.workingDirectory, flags.dataDir),
          tls: flags.tls,
          settings: flags.set,
        },
        world,
      );
      finish(code);
    });
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port < 1 || port > 65_535) {
    throw new InvalidArgumentError("It must be a port from 1 to 65535.");
  }
  return port;
}
