/** `ferrite certs client`: a certificate for a client program. */
import { Command } from "commander";
import type { World } from "../world.ts";
import { collect, shown, withIssuing, type IssueFlags } from "./certs-options.ts";
import { withoutClientPrefix } from "./directory-layout.ts";
import { CLIENT_DAYS_DEFAULT, issueClientCertificate } from "./issue.ts";
import { issuePair } from "./issue-pair.ts";

interface Flags extends IssueFlags {
  readonly dns: readonly string[];
  readonly uri: readonly string[];
  readonly email: readonly string[];
}

const NOTES = `
The certificate is good as a client only: it can not open the port of the nodes. Which of its names is the user is said
by tls-auth-clients-user: CN is <name>; SAN-DNS, SAN-URI and SAN-EMAIL need exactly one name of that kind. Without
--dns, --uri and --email the name is a DNS name too.

Examples:
  $ ferrite certs client app
  $ ferrite certs client app --uri spiffe://example.org/app
  $ ferrite certs client batch --email batch@example.org --days 30 --algorithm ed25519`;

export function clientCommand(world: World): Command {
  const command = withIssuing(new Command("client"), CLIENT_DAYS_DEFAULT)
    .description("make a certificate for a client program")
    .argument("<name>", "the client's name: its user, where certificates are mapped by CN")
    .option("--dns <name>", "a DNS name it shall have (repeatable)", collect, [])
    .option("--uri <uri>", "a URI it shall have (repeatable)", collect, [])
    .option("--email <address>", "an e-mail address it shall have (repeatable)", collect, [])
    .addHelpText("after", NOTES);
  return command.action(async (given: string, flags: Flags) => {
    const name = withoutClientPrefix(given);
    const { days, algorithm, dns, uri, email } = flags;
    const { certFile, keyFile, caFile } = await issuePair(world, flags, {
      use: "client",
      name,
      where: (layout) => layout.client(name),
      issue: (authority) =>
        issueClientCertificate(authority, {
          name,
          dnsNames: dns,
          uris: uri,
          emails: email,
          days,
          algorithm,
        }),
    });
    const [cert, key, ca] = [certFile, keyFile, caFile].map((path) => shown(world, path));
    world.print(`Client ${name}: ${cert}, key ${key}`);
    world.print(`Use it:   redis-cli --tls -p 6380 --cacert ${ca} --cert ${cert} --key ${key}`);
  });
}
