import type { KeyContext, ReadCommand } from "../command.ts";
import { findKeyToRead } from "../lookup.ts";
import { replyValue, STRING_TYPE } from "./value.ts";

/** MGET key [key ...] */
export const mget: ReadCommand = {
  kind: "read",
  name: "mget",
  summary: "Get the values of all the given keys",
  complexity: "O(N) where N is the number of keys to retrieve.",
  since: "1.0.0",
  group: "string",
  arity: -2,
  flags: ["readonly", "fast"],
  categories: ["read", "string", "fast"],
  keySpecs: [
    {
      flags: ["RO", "access"],
      beginSearch: { kind: "index", index: 1 },
      findKeys: { kind: "range", lastKey: -1, keyStep: 1, limit: 0 },
    },
  ],
  arguments: [{ name: "key", type: "key", keySpecIndex: 0, flags: ["multiple"] }],
  tips: ["request_policy:multi_shard"],
  run: runMget,
};

/** Keys of other types count as missing: MGET never fails. */
function runMget(context: KeyContext): void {
  const { argv, keyspace, reply } = context;
  reply.array(argv.count - 1);
  for (let index = 1; index < argv.count; index++) {
    const ref = findKeyToRead(context, index);
    replyValue(context, ref !== 0 && keyspace.type(ref) === STRING_TYPE ? ref : 0);
  }
}
