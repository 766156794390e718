import type { SelectorDescription, User } from "@ferrite/acl";
import type { Reply } from "../../resp/reply.ts";
import type { EdgeContext } from "../../server/edge-context.ts";
import type { EdgeCommand } from "../command.ts";
import { replyByteStrings, replyBytes } from "./byte-string.ts";

/**
 * ACL GETUSER username: Redis' map. Limits that Redis does not know (expire-at, max-clients, ops-per-sec) follow behind
 * its fields, and only where the user has them.
 */
export const aclGetuser: EdgeCommand = {
  kind: "edge",
  name: "acl|getuser",
  summary: "Get the rules for a specific ACL user",
  complexity:
    "O(N). Where N is the number of password, command and pattern rules that the user has.",
  since: "6.0.0",
  group: "server",
  arity: 3,
  flags: ["admin", "noscript", "loading", "stale"],
  categories: ["admin", "slow", "dangerous"],
  keySpecs: [],
  arguments: [{ name: "username", type: "string" }],
  history: [
    ["6.2.0", "Added Pub/Sub channel patterns."],
    [
      "7.0.0",
      "Added selectors and changed the format of key and channel patterns from a list to their rule representation.",
    ],
  ],
  run: runGetuser,
};

/** Its fields; each of `selectors` is a map of three. */
const REDIS_FIELDS = 6;

function runGetuser({ argv, reply, server }: EdgeContext): void {
  const user = server.access.users().get(argv.latin1(2));
  if (user === undefined) return reply.nullBulk();
  const [own, ...selectors] = user.selectors();
  const limits = limitsOf(user);
  reply.map(REDIS_FIELDS + limits.length);
  replyFlags(reply, user.flags());
  reply.bulkText("passwords");
  replyByteStrings(reply, user.passwords);
  replySelector(reply, own);
  reply.bulkText("selectors");
  reply.array(selectors.length);
  for (const selector of selectors) {
    reply.map(3);
    replySelector(reply, selector);
  }
  for (const [name, value] of limits) {
    reply.bulkText(name);
    reply.integer(value);
  }
}

function replyFlags(reply: Reply, flags: readonly string[]): void {
  reply.bulkText("flags");
  reply.set(flags.length);
  for (const flag of flags) reply.bulkText(flag);
}

/** Three names and their values. */
function replySelector(reply: Reply, { commands, keys, channels }: SelectorDescription): void {
  reply.bulkText("commands");
  replyBytes(reply, commands);
  reply.bulkText("keys");
  replyBytes(reply, keys);
  reply.bulkText("channels");
  replyBytes(reply, channels);
}

/** In the units of the rules that set them: seconds since 1970, connections, commands a second. */
function limitsOf(user: User): readonly (readonly [string, number])[] {
  const all: readonly (readonly [string, number])[] = [
    ["expire-at", Math.ceil(user.expiresAtMs / 1000)],
    ["max-clients", user.clientsMax],
    ["ops-per-sec", user.operationsPerSecondMax],
  ];
  return all.filter(([, value]) => value > 0);
}
