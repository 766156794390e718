import type { EdgeCommand } from "../command.ts";

/** CONFIG RESETSTAT */
export const configResetstat: EdgeCommand = {
  kind: "edge",
  name: "config|resetstat",
  summary: "Reset the stats returned by INFO",
  complexity: "O(1)",
  since: "2.0.0",
  group: "server",
  arity: 2,
  flags: ["admin", "noscript", "loading", "stale"],
  categories: ["admin", "slow", "dangerous"],
  keySpecs: [],
  arguments: [],
  run: ({ reply, server }) => {
    server.statistics.reset();
    reply.ok();
  },
};
