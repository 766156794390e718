import type { EdgeCommand } from "../command.ts";
import { replyBytes } from "./byte-string.ts";

/** ACL WHOAMI: the user this connection acts as. */
export const aclWhoami: EdgeCommand = {
  kind: "edge",
  name: "acl|whoami",
  summary: "Return the name of the user associated to the current connection",
  complexity: "O(1)",
  since: "6.0.0",
  group: "server",
  arity: 2,
  flags: ["noscript", "loading", "stale"],
  categories: ["slow"],
  keySpecs: [],
  arguments: [],
  run: ({ reply, client }) => {
    if (client.user === null) reply.nullBulk();
    else replyBytes(reply, client.user);
  },
};
