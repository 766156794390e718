/** `ferrite certs`: certificates without a second tool. */
import { Command } from "commander";
import type { World } from "../world.ts";
import { checkCommand } from "./check-command.ts";
import { clientCommand } from "./client-command.ts";
import { crlCommand } from "./crl-command.ts";
import { genCommand } from "./gen-command.ts";
import { initCommand } from "./init-command.ts";
import { nodeCommand } from "./node-command.ts";
import { renewCommand } from "./renew-command.ts";
import { revokeCommand } from "./revoke-command.ts";
import { showCommand } from "./show-command.ts";

const EXAMPLES = `
Examples:
  $ ferrite certs gen node1 node2 node3     an authority and three nodes at once
  $ ferrite certs init                      or one by one: the authority,
  $ ferrite certs node node-1               a node,
  $ ferrite certs client app                a client
  $ ferrite certs renew node-1              before it expires; the running node takes it up
  $ ferrite certs revoke client-app         when a key is in the wrong hands
  $ ferrite certs show certs                what there is, and how long it lasts
  $ ferrite certs check --cert certs/node-1.crt --key certs/node-1.key --ca certs/ca.crt`;

/** The `certs` command, to be added to the program. `finish` takes the exit status. */
export function certsCommand(world: World, finish: (code: number) => void): Command {
  const command = new Command("certs")
    .description("make, renew, revoke, look at and check the certificates of nodes and clients")
    .addHelpText("after", EXAMPLES);
  const subcommands = [
    initCommand(world),
    nodeCommand(world),
    clientCommand(world),
    genCommand(world),
    renewCommand(world),
    revokeCommand(world),
    crlCommand(world),
    showCommand(world, finish),
    checkCommand(world, finish),
  ];
  for (const subcommand of subcommands) command.addCommand(subcommand);
  return command;
}
