import type { WriteCommand } from "../command.ts";
import { flushKeyspace } from "./flush-keyspace.ts";

/** FLUSHDB [ASYNC | SYNC] */
export const flushdb: WriteCommand = {
  kind: "write",
  name: "flushdb",
  summary: "Remove all keys from the current database",
  complexity: "O(N) where N is the number of keys in the selected database",
  since: "1.0.0",
  group: "server",
  arity: -1,
  flags: ["write"],
  categories: ["keyspace", "write", "slow", "dangerous"],
  keySpecs: [],
  arguments: [
    {
      name: "async",
      type: "oneof",
      flags: ["optional"],
      arguments: [
        { name: "async", type: "pure-token", token: "ASYNC", since: "4.0.0" },
        { name: "sync", type: "pure-token", token: "SYNC", since: "6.2.0" },
      ],
    },
  ],
  history: [
    ["4.0.0", "Added the `ASYNC` flushing mode modifier."],
    ["6.2.0", "Added the `SYNC` flushing mode modifier."],
  ],
  tips: ["request_policy:all_shards", "response_policy:all_succeeded"],
  run: flushKeyspace,
};
