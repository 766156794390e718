import type { EdgeCommand } from "../command.ts";
import { INVALID_CLIENT_NAME, isPrintable } from "./client-name.ts";

/** CLIENT SETNAME connection-name; an empty name takes it away. */
export const clientSetname: EdgeCommand = {
  kind: "edge",
  name: "client|setname",
  summary: "Set the current connection name",
  complexity: "O(1)",
  since: "2.6.9",
  group: "connection",
  arity: 3,
  flags: ["noscript", "loading", "stale"],
  categories: ["slow", "connection"],
  keySpecs: [],
  arguments: [{ name: "connection-name", type: "string" }],
  run: ({ argv, reply, client }) => {
    const name = argv.latin1(2);
    if (!isPrintable(name)) {
      reply.error(INVALID_CLIENT_NAME);
      return;
    }
    client.name = name;
    reply.ok();
  },
};
