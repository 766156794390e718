import type { EdgeCommand } from "../command.ts";
import { replyByteStrings } from "./byte-string.ts";

/** ACL LIST: the users as lines of the ACL file, in the order of their names. */
export const aclList: EdgeCommand = {
  kind: "edge",
  name: "acl|list",
  summary: "List the current ACL rules in ACL config file format",
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
      users.map((user) => user.describe()),
    );
  },
};
