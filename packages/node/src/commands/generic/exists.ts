import type { KeyContext, ReadCommand } from "../command.ts";
import { findKeyUntouched } from "../lookup.ts";

/** EXISTS key [key ...] */
export const exists: ReadCommand = {
  kind: "read",
  name: "exists",
  summary: "Determine if a key exists",
  complexity: "O(N) where N is the number of keys to check.",
  since: "1.0.0",
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
  history: [["3.0.3", "Accepts multiple `key` arguments."]],
  tips: ["request_policy:multi_shard", "response_policy:agg_sum"],
  run: runExists,
};

/** A key named twice counts twice. */
function runExists(context: KeyContext): void {
  let count = 0;
  for (let index = 1; index < context.argv.count; index++) {
    if (findKeyUntouched(context, index) !== 0) count++;
  }
  context.reply.integer(count);
}
