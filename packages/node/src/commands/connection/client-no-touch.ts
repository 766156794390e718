import type { EdgeCommand } from "../command.ts";
import { SYNTAX_ERROR } from "../error-texts.ts";

/** CLIENT NO-TOUCH ON|OFF: from Redis 7.2. */
export const clientNoTouch: EdgeCommand = {
  kind: "edge",
  name: "client|no-touch",
  summary: "Controls whether commands sent by the client affect the LRU/LFU of accessed keys.",
  complexity: "O(1)",
  since: "7.2.0",
  group: "connection",
  arity: 3,
  flags: ["noscript", "loading", "stale"],
  categories: ["slow", "connection"],
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
    client.noTouch = on;
    reply.ok();
  },
};
