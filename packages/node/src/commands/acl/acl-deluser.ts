import type { EdgeContext } from "../../server/edge-context.ts";
import type { EdgeCommand } from "../command.ts";
import { proposeUsers } from "./propose-users.ts";

/**
 * ACL DELUSER username [username ...]: the number of users there were. Their connections are closed on every node
 * before the answer is given.
 */
export const aclDeluser: EdgeCommand = {
  kind: "edge",
  name: "acl|deluser",
  summary: "Remove the specified ACL users and the associated rules",
  complexity: "O(1) amortized time considering the typical user.",
  since: "6.0.0",
  group: "server",
  arity: -3,
  flags: ["admin", "noscript", "loading", "stale"],
  categories: ["admin", "slow", "dangerous"],
  keySpecs: [],
  arguments: [{ name: "username", type: "string", flags: ["multiple"] }],
  run: runDeluser,
};

function runDeluser(context: EdgeContext): void {
  const { argv, reply } = context;
  const names: string[] = [];
  for (let index = 2; index < argv.count; index++) {
    const name = argv.latin1(index);
    if (name === "default") return reply.error("ERR The 'default' user cannot be removed");
    names.push(name);
  }
  return proposeUsers(context, { kind: "delete", names }, (later, count) => later.integer(count));
}
