import type { KeyContext, WriteCommand } from "../command.ts";
import { wrongArityText } from "../refusal.ts";
import { findKey } from "../lookup.ts";
import { storePairs } from "./pairs.ts";

/** MSETNX key value [key value ...] */
export const msetnx: WriteCommand = {
  kind: "write",
  name: "msetnx",
  summary: "Set multiple keys to multiple values, only if none of the keys exist",
  complexity: "O(N) where N is the number of keys to set.",
  since: "1.0.1",
  group: "string",
  arity: -3,
  flags: ["write", "denyoom"],
  categories: ["write", "string", "slow"],
  keySpecs: [
    {
      flags: ["OW", "insert"],
      beginSearch: { kind: "index", index: 1 },
      findKeys: { kind: "range", lastKey: -1, keyStep: 2, limit: 0 },
    },
  ],
  arguments: [
    {
      name: "key_value",
      type: "block",
      flags: ["multiple"],
      arguments: [
        { name: "key", type: "key", keySpecIndex: 0 },
        { name: "value", type: "string" },
      ],
    },
  ],
  tips: ["request_policy:multi_shard", "response_policy:agg_min"],
  run: runMsetNx,
};

/** All or nothing: one key that is there already keeps the others from being set. */
function runMsetNx(context: KeyContext): void {
  const { argv, reply } = context;
  if (argv.count % 2 === 0) {
    reply.error(wrongArityText(msetnx));
    return;
  }
  for (let index = 1; index < argv.count; index += 2) {
    if (findKey(context, index) !== 0) {
      reply.integer(0);
      return;
    }
  }
  storePairs(context);
  reply.integer(1);
}
