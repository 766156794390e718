import type { KeyContext, WriteCommand } from "../command.ts";
import { findKey } from "../lookup.ts";
import { storeArgument } from "./value.ts";

/** SETNX key value */
export const setnx: WriteCommand = {
  kind: "write",
  name: "setnx",
  summary: "Set the value of a key, only if the key does not exist",
  complexity: "O(1)",
  since: "1.0.0",
  group: "string",
  arity: 3,
  flags: ["write", "denyoom", "fast"],
  categories: ["write", "string", "fast"],
  keySpecs: [
    {
      flags: ["OW", "insert"],
      beginSearch: { kind: "index", index: 1 },
      findKeys: { kind: "range", lastKey: 0, keyStep: 1, limit: 0 },
    },
  ],
  arguments: [
    { name: "key", type: "key", keySpecIndex: 0 },
    { name: "value", type: "string" },
  ],
  run: runSetNx,
};

function runSetNx(context: KeyContext): void {
  if (findKey(context, 1) !== 0) {
    context.reply.integer(0);
    return;
  }
  storeArgument(context, { key: 1, value: 2 }, 0);
  context.reply.integer(1);
}
