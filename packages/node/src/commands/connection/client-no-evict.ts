import type { EdgeCommand } from "../command.ts";
import { SYNTAX_ERROR } from "../error-texts.ts";

/** CLIENT NO-EVICT ON|OFF: kept and shown; clients are not evicted for memory here. */
export const clientNoEvict: EdgeCommand = {
  kind: "edge",
  name: "client|no-evict",
  summary: "Set client eviction mode for the current connection",
  complexity: "O(1)",
  since: "7.0.0",
  group: "connection",
  arity: 3,
  flags: ["admin", "noscript", "loading", "stale"],
  categories: ["admin", "slow", "dangerous", "connection"],
  keySpecs: [],
  arguments: [
    {
      name: "enabled",
      type: "oneof",
      arguments: [
        { name: "on", type: "pure-token", token: "ON" },
        { name: "off", type: "pure-token", token: "OFF" },
      ],
    },
  ],
  run: ({ argv, reply, client }) => {
    const on = argv.isWord(2, "ON");
    if (!on && !argv.isWord(2, "OFF")) {
      reply.error(SYNTAX_ERROR);
      return;
    }
    client.noEvict = on;
    reply.ok();
  },
};
