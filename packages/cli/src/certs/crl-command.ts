/** `ferrite certs crl`: signs the revocation list anew, before the old one is past its time. */
import { Command, InvalidArgumentError } from "commander";
import type { World } from "../world.ts";
import { authorityDirectory, shown, withSigning, type SigningFlags } from "./certs-options.ts";
import { openAuthorityIn } from "./open-authority.ts";
import { publishRevocations, type PublishedList } from "./publish-revocations.ts";
import { CRL_DAYS_DEFAULT, CRL_DAYS_MAX } from "./revocation-list.ts";

interface Flags extends SigningFlags {
  readonly days: number;
}

const NOTES = `
A list says by when the next one is due. When it is late, nodes go on with what they have and raise an alarm, or with
tls-crl-stale refuse they refuse the certificates of that authority: sign a new one in time.

Examples:
  $ ferrite certs crl
  $ ferrite certs crl --days 7 --ca-dir /secure/ca --out /secure/ca`;

export function crlCommand(world: World): Command {
  return withSigning(new Command("crl"))
    .description("sign the revocation list anew, with what was revoked so far")
    .option("--days <days>", "when the next list is due", parseListDays, CRL_DAYS_DEFAULT)
    .addHelpText("after", NOTES)
    .action(async (flags: Flags) => {
      const directory = authorityDirectory(world, flags);
      const authority = await openAuthorityIn(world, directory, flags.caPassphraseFile);
      const published = await publishRevocations(authority, {
        days: flags.days,
        nowMs: Date.now(),
        choose: () => [],
      });
      printList(world, published);
    });
}

export function printList(world: World, list: PublishedList): void {
  const { file, number, revoked, nextUpdate } = list;
  const count = revoked === 1 ? "one certificate" : `${revoked} certificates`;
  world.print(
    `List:    ${shown(world, file)} (number ${number}, ${count}, the next one is due ${nextUpdate.toISOString().slice(0, 10)})`,
  );
  world.print("Copy it to the nodes, where tls-crl-file and peer-tls-crl-file name it.");
}

/** @throws InvalidArgumentError */
export function parseListDays(text: string): number {
  const days = Number(text);
  if (!/^\d+$/.test(text) || days < 1 || days > CRL_DAYS_MAX) {
    throw new InvalidArgumentError(`A whole number of days from 1 to ${CRL_DAYS_MAX} is needed.`);
  }
  return days;
}
