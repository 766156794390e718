import type { EdgeCommand } from "../command.ts";

const MICROSECONDS_PER_SECOND = 1_000_000;

/** TIME: this node's clock, in seconds and microseconds. */
export const time: EdgeCommand = {
  kind: "edge",
  name: "time",
  summary: "Return the current server time",
  complexity: "O(1)",
  since: "2.6.0",
  group: "server",
  arity: 1,
  flags: ["loading", "stale", "fast"],
  categories: ["fast"],
  keySpecs: [],
  arguments: [],
  tips: ["nondeterministic_output"],
  run: ({ reply, server }) => {
    const microseconds = server.nowMicroseconds();
    reply.array(2);
    reply.bulkText(String(Math.floor(microseconds / MICROSECONDS_PER_SECOND)));
    reply.bulkText(String(microseconds % MICROSECONDS_PER_SECOND));
  },
};
