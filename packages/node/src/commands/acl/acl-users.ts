import type { EdgeCommand } from "../command.ts";
import { replyByteStrings } from "./byte-string.ts";

/** ACL USERS: names, in the order of their bytes. */
export const aclUsers: EdgeCommand = {
  kind: "edge",
  name: "acl|users",
  summary: "List the username of all the configured ACL rules",
  complexity: "O(N). Where N is the number of configured users.",
  since: "6.0.0",
  group: "server",
  arity: 2,
  flags: ["admin", "noscript", "loading", "stale"],
  categories: ["admin", "slow", "dangerous"],
  keySpecs: [],
  arguments: [],
  run: ({ reply, server }) => {
    const users = server.access.users().all();
    replyByteStrings(
      reply,
      users.map((user) => user.name),
    );
  },
};
