import type { ReadCommand } from "../command.ts";

/** DBSIZE: keys that have expired and are not removed yet count, as in Redis. */
export const dbsize: ReadCommand = {
  kind: "read",
  name: "dbsize",
  summary: "Return the number of keys in the selected database",
  complexity: "O(1)",
  since: "1.0.0",
  group: "server",
  arity: 1,
  flags: ["readonly", "fast"],
  categories: ["keyspace", "read", "fast"],
  keySpecs: [],
  arguments: [],
  tips: ["request_policy:all_shards", "response_policy:agg_sum"],
  run: ({ reply, keyspace }) => reply.integer(keyspace.size),
};
