import type { KeyContext, WriteCommand } from "../command.ts";
import { wrongArityText } from "../refusal.ts";
import { storePairs } from "./pairs.ts";

/** MSET key value [key value ...] */
export const mset: WriteCommand = {
  kind: "write",
  name: "mset",
  summary: "Set multiple keys to multiple values",
  complexity: "O(N) where N is the number of keys to set.",
  since: "1.0.1",
  group: "string",
  arity: -3,
  flags: ["write", "denyoom"],
  categories: ["write", "string", "slow"],
  keySpecs: [
    {
      flags: ["OW", "update"],
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
  tips: ["request_policy:multi_shard", "response_policy:all_succeeded"],
  run: runMset,
};

function runMset(context: KeyContext): void {
  if (context.argv.count % 2 === 0) {
    context.reply.error(wrongArityText(mset));
    return;
  }
  storePairs(context);
  context.reply.ok();
}
