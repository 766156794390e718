/** `ferrite certs node`: a certificate for a node. */
import { resolve } from "node:path";
import { Command } from "commander";
import type { World } from "../world.ts";
import { collect, shown, withIssuing, type IssueFlags } from "./certs-options.ts";
import { refuseReservedName } from "./directory-layout.ts";
import { NODE_DAYS_DEFAULT, issueNodeCertificate } from "./issue.ts";
import { issuePair } from "./issue-pair.ts";

interface Flags extends IssueFlags {
  readonly host: readonly string[];
  readonly uri: readonly string[];
  readonly loopback: boolean;
}

const NOTES = `
The certificate is good as a server (for clients, HTTP and other nodes) and as a client of other nodes. It covers the
node's name, which is who it is to the other nodes, every --host, and localhost.

Examples:
  $ ferrite certs node node-1 --host 10.0.0.1 --host cache.example.org
  $ ferrite certs node node-1 --uri spiffe://example.org/ferrite/node-1 --days 90
  $ ferrite certs node node-1 --ca-dir /secure/ca --ca-passphrase-file ca.pass --out ./certs`;

export function nodeCommand(world: World): Command {
  const command = withIssuing(new Command("node"), NODE_DAYS_DEFAULT)
    .description("make a certificate for a node")
    .argument("<name>", "the node's name in the cluster (node-name)")
    .option("--host <host>", "a DNS name or address it is reached by (repeatable)", collect, [])
    .option("--uri <uri>", "a URI it is known by, as SPIFFE has them (repeatable)", collect, [])
    .option("--no-loopback", "leave out localhost, 127.0.0.1 and ::1")
    .addHelpText("after", NOTES);
  return command.action(async (name: string, flags: Flags) => {
    refuseReservedName(name);
    const { days, algorithm, loopback } = flags;
    const issued = await issuePair(world, flags, {
      use: "node",
      name,
      where: (layout) => layout.node(name),
      issue: (authority) =>
        issueNodeCertificate(authority, {
          name,
          hosts: flags.host,
          uris: flags.uri,
          loopback,
          days,
          algorithm,
        }),
    });
    const { certFile, keyFile, caFile } = issued;
    world.print(`Node ${name}: ${shown(world, certFile)}, key ${shown(world, keyFile)}`);
    world.print("Its configuration, for clients and for the other nodes:");
    world.print(`  tls-cert-file ${certFile}`);
    world.print(`  tls-key-file ${keyFile}`);
    if (issued.isEncrypted) {
      const file = resolve(world.workingDirectory, flags.keyPassphraseFile ?? "");
      world.print(`  tls-key-passphrase-file ${file}`);
    }
    world.print(`  tls-ca-cert-file ${caFile}`);
    world.print(
      "To give the other nodes another one: peer-tls-cert-file, peer-tls-key-file, peer-tls-ca-cert-file.",
    );
  });
}
