import type { EdgeCommand } from "../command.ts";

/** CONFIG GET pattern [pattern ...] */
export const configGet: EdgeCommand = {
  kind: "edge",
  name: "config|get",
  summary: "Get the values of configuration parameters",
  complexity: "O(N) when N is the number of configuration parameters provided",
  since: "2.0.0",
  group: "server",
  arity: -3,
  flags: ["admin", "noscript", "loading", "stale"],
  categories: ["admin", "slow", "dangerous"],
  keySpecs: [],
  arguments: [
    {
      name: "parameter",
      type: "block",
      flags: ["multiple"],
      arguments: [{ name: "parameter", type: "string" }],
    },
  ],
  history: [["7.0.0", "Added the ability to pass multiple pattern parameters in one call"]],
  run: ({ argv, reply, server }) => {
    const patterns: string[] = [];
    for (let index = 2; index < argv.count; index++) patterns.push(argv.utf8(index));
    const pairs = server.settings.match(patterns);
    reply.map(pairs.length);
    for (const [name, value] of pairs) {
      reply.bulkText(name);
      reply.bulkText(value);
    }
  },
};
