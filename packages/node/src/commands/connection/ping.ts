import type { EdgeCommand } from "../command.ts";
import { wrongArityText } from "../refusal.ts";

/** PING [message] */
export const ping: EdgeCommand = {
  kind: "edge",
  name: "ping",
  summary: "Ping the server",
  complexity: "O(1)",
  since: "1.0.0",
  group: "connection",
  arity: -1,
  flags: ["fast"],
  categories: ["fast", "connection"],
  keySpecs: [],
  arguments: [{ name: "message", type: "string", flags: ["optional"] }],
  tips: ["request_policy:all_shards", "response_policy:all_succeeded"],
  run: ({ argv, reply }) => {
    if (argv.count > 2) reply.error(wrongArityText(ping));
    else if (argv.count === 2) reply.bulkRange(argv.buffer, argv.starts[1], argv.ends[1]);
    else reply.simple("PONG");
  },
};
