import type { KeyContext, ReadCommand } from "../command.ts";
import type { EntryRef } from "@ferrite/storage";
import { Glob, GLOB_BYTES_MAX, PATTERN_TOO_LONG } from "../glob.ts";
import { entryMatches, replyKeys } from "./key-list.ts";

/** KEYS pattern */
export const keys: ReadCommand = {
  kind: "read",
  name: "keys",
  summary: "Find all keys matching the given pattern",
  complexity:
    "O(N) with N being the number of keys in the database, under the assumption that the key names in the database and the given pattern have limited length.",
  since: "1.0.0",
  group: "generic",
  arity: 2,
  flags: ["readonly"],
  categories: ["keyspace", "read", "slow", "dangerous"],
  keySpecs: [],
  arguments: [{ name: "pattern", type: "pattern" }],
  tips: ["request_policy:all_shards", "nondeterministic_output_order"],
  run: runKeys,
};

function runKeys(context: KeyContext): void {
  const { argv, keyspace, nowMs, reply } = context;
  if (argv.length(1) > GLOB_BYTES_MAX) {
    reply.error(PATTERN_TOO_LONG);
    return;
  }
  const glob = new Glob(argv.bytes(1));
  const found: EntryRef[] = [];
  keyspace.forEach(nowMs, (ref) => {
    if (glob.matchesAll || entryMatches(keyspace, ref, glob)) found.push(ref);
  });
  replyKeys(context, found);
}
