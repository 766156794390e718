import type { EdgeCommand } from "../command.ts";

/** QUIT: answers and closes. */
export const quit: EdgeCommand = {
  kind: "edge",
  name: "quit",
  summary: "Close the connection",
  complexity: "O(1)",
  since: "1.0.0",
  group: "connection",
  arity: -1,
  flags: ["noscript", "loading", "stale", "fast", "no_auth", "allow_busy"],
  categories: ["fast", "connection"],
  keySpecs: [],
  arguments: [],
  run: ({ reply, client }) => {
    reply.ok();
    client.close(true);
  },
};
