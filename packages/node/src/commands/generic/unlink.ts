import type { WriteCommand } from "../command.ts";
import { removeKeys } from "./remove-keys.ts";

/** UNLINK key [key ...] */
export const unlink: WriteCommand = {
  kind: "write",
  name: "unlink",
  summary:
    "Delete a key asynchronously in another thread. Otherwise it is just as DEL, but non blocking.",
  complexity:
    "O(1) for each key removed regardless of its size. Then the command does O(N) work in a different thread in order to reclaim memory, where N is the number of allocations the deleted objects where composed of.",
  since: "4.0.0",
  group: "generic",
  arity: -2,
  flags: ["write", "fast"],
  categories: ["keyspace", "write", "fast"],
  keySpecs: [
    {
      flags: ["RM", "delete"],
      beginSearch: { kind: "index", index: 1 },
      findKeys: { kind: "range", lastKey: -1, keyStep: 1, limit: 0 },
    },
  ],
  arguments: [{ name: "key", type: "key", keySpecIndex: 0, flags: ["multiple"] }],
  tips: ["request_policy:multi_shard", "response_policy:agg_sum"],
  run: removeKeys,
};
