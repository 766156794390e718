import type { EdgeCommand } from "../command.ts";

/** CLIENT ID */
export const clientId: EdgeCommand = {
  kind: "edge",
  name: "client|id",
  summary: "Returns the client ID for the current connection",
  complexity: "O(1)",
  since: "5.0.0",
  group: "connection",
  arity: 2,
  flags: ["noscript", "loading", "stale"],
  categories: ["slow", "connection"],
  keySpecs: [],
  arguments: [],
  run: ({ reply, client }) => reply.integer(client.id),
};
