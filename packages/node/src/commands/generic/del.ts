import type { WriteCommand } from "../command.ts";
import { removeKeys } from "./remove-keys.ts";

/** DEL key [key ...] */
export const del: WriteCommand = {
  kind: "write",
  name: "del",
  summary: "Delete a key",
  complexity:
    "O(N) where N is the number of keys that will be removed. When a key to remove holds a value other than a string, the individual complexity for this key is O(M) where M is the number of elements in the list, set, sorted set or hash. Removing a single key that holds a string value is O(1).",
  since: "1.0.0",
  group: "generic",
  arity: -2,
  flags: ["write"],
  categories: ["keyspace", "write", "slow"],
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
