import type { KeyContext, ReadCommand } from "../command.ts";
import { replyKey } from "./key-list.ts";

/** RANDOMKEY */
export const randomkey: ReadCommand = {
  kind: "read",
  name: "randomkey",
  summary: "Return a random key from the keyspace",
  complexity: "O(1)",
  since: "1.0.0",
  group: "generic",
  arity: 1,
  flags: ["readonly"],
  categories: ["keyspace", "read", "slow"],
  keySpecs: [],
  arguments: [],
  tips: ["request_policy:all_shards", "nondeterministic_output"],
  run: runRandomKey,
};

function runRandomKey(context: KeyContext): void {
  const ref = context.keyspace.randomKey(() => context.random(), context.nowMs);
  if (ref === 0) context.reply.nullBulk();
  else replyKey(context, ref);
}
