import type { EdgeCommand } from "../command.ts";

/** CONFIG REWRITE: refused in the words Redis has for a server without a file; the file is the operator's. */
export const configRewrite: EdgeCommand = {
  kind: "edge",
  name: "config|rewrite",
  summary: "Rewrite the configuration file with the in memory configuration",
  complexity: "O(1)",
  since: "2.8.0",
  group: "server",
  arity: 2,
  flags: ["admin", "noscript", "loading", "stale"],
  categories: ["admin", "slow", "dangerous"],
  keySpecs: [],
  arguments: [],
  run: ({ reply }) => reply.error("ERR The server is running without a config file"),
};
