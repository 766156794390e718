import type { EdgeCommand } from "../command.ts";
import type { EdgeContext } from "../../server/edge-context.ts";

/** RESET: the connection is as it was when it was made; library name and eviction flags stay, as in Redis. */
export const reset: EdgeCommand = {
  kind: "edge",
  name: "reset",
  summary: "Reset the connection",
  complexity: "O(1)",
  since: "6.2.0",
  group: "connection",
  arity: 1,
  flags: ["noscript", "loading", "stale", "fast", "no_auth", "allow_busy"],
  categories: ["fast", "connection"],
  keySpecs: [],
  arguments: [],
  run: runReset,
};

function runReset(context: EdgeContext): void {
  const { client, server } = context;
  client.protocol = 2;
  client.logOut(server.access.users());
  client.name = "";
  client.consistency = server.defaultConsistency;
  client.readBoundMs = server.defaultReadBoundMs;
  client.replyMode = "on";
  // Read after the mode changed: the answer is given even when replies were off.
  context.reply.simple("RESET");
}
