/** Requests of users whose rights are compared: over keys, connection, server and ACL itself. */
import { EdgeGenerator } from "./cluster-edge-generator.ts";
import { CommandGenerator } from "./command-generator.ts";
import type { Prng } from "./prng.ts";

/**
 * What would change who the connection acts as, or tells of other connections: the former is compared by conversations
 * of its own (acl-streams.test.ts), the latter differs with every run.
 */
const NOT_ASKED =
  /^(auth|reset|hello|client (list|kill|reply)|config (set|resetstat)|wait|quit)\b/i;

const ACL_REQUESTS: readonly (readonly string[])[] = [
  ["ACL", "WHOAMI"],
  ["ACL", "USERS"],
  ["ACL", "GENPASS", "x"],
  ["ACL", "GETUSER", "nobody"],
  ["acl", "Cat", "nosuch"],
  ["ACL", "DRYRUN", "nobody", "get", "a"],
  ["ACL", "DELUSER", "nobody"],
  ["ACL", "SETUSER", "bob", "nosuch"],
  ["ACL", "NOSUCH"],
  ["ACL"],
  ["ACL", "LOG", "x"],
];

export function makeAclRequest(random: Prng): string[] {
  for (;;) {
    const words = makeAnyRequest(random);
    if (!NOT_ASKED.test(words.join(" ")) && !words.some(isOfTheClock)) return words;
  }
}

/** Which of two expiries is later would depend on when each server reads its clock. */
function isOfTheClock(word: string): boolean {
  return /^[gl]t$/i.test(word);
}

function makeAnyRequest(random: Prng): string[] {
  if (random.oneIn(12)) return [...random.pick(ACL_REQUESTS)];
  if (random.oneIn(4)) return new EdgeGenerator(random).next();
  return new CommandGenerator(random).next();
}
