import type { KeyContext, ReadCommand } from "../command.ts";
import { findKeyToRead } from "../lookup.ts";

/** TOUCH key [key ...] */
export const touch: ReadCommand = {
  kind: "read",
  name: "touch",
  summary:
    "Alters the last access time of a key(s). Returns the number of existing keys specified.",
  complexity: "O(N) where N is the number of keys that will be touched.",
  since: "3.2.1",
  group: "generic",
  arity: -2,
  flags: ["readonly", "fast"],
  categories: ["keyspace", "read", "fast"],
  keySpecs: [
    {
      flags: ["RO"],
      beginSearch: { kind: "index", index: 1 },
      findKeys: { kind: "range", lastKey: -1, keyStep: 1, limit: 0 },
    },
  ],
  arguments: [{ name: "key", type: "key", keySpecIndex: 0, flags: ["multiple"] }],
  tips: ["request_policy:multi_shard", "response_policy:agg_sum"],
  run: runTouch,
};

/** Marks the keys as used on the node that was asked: idle times are each node's own. */
function runTouch(context: KeyContext): void {
  let count = 0;
  for (let index = 1; index < context.argv.count; index++) {
    if (findKeyToRead(context, index) !== 0) count++;
  }
  context.reply.integer(count);
}
