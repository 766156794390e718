import type { EdgeCommand } from "../command.ts";

/** ECHO message */
export const echo: EdgeCommand = {
  kind: "edge",
  name: "echo",
  summary: "Echo the given string",
  complexity: "O(1)",
  since: "1.0.0",
  group: "connection",
  arity: 2,
  flags: ["loading", "stale", "fast"],
  categories: ["fast", "connection"],
  keySpecs: [],
  arguments: [{ name: "message", type: "string" }],
  run: ({ argv, reply }) => reply.bulkRange(argv.buffer, argv.starts[1], argv.ends[1]),
};
