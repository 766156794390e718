import type { EdgeCommand } from "../command.ts";

/** CLIENT GETNAME */
export const clientGetname: EdgeCommand = {
  kind: "edge",
  name: "client|getname",
  summary: "Get the current connection name",
  complexity: "O(1)",
  since: "2.6.9",
  group: "connection",
  arity: 2,
  flags: ["noscript", "loading", "stale"],
  categories: ["slow", "connection"],
  keySpecs: [],
  arguments: [],
  run: ({ reply, client }) => {
    if (client.name === "") reply.nullBulk();
    else reply.bulkText(client.name);
  },
};
