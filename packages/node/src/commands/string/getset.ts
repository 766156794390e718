import type { KeyContext, WriteCommand } from "../command.ts";
import { findStringToRead, NOT_A_STRING, replyValue, storeArgument } from "./value.ts";

/** GETSET key value */
export const getset: WriteCommand = {
  kind: "write",
  name: "getset",
  summary: "Set the string value of a key and return its old value",
  complexity: "O(1)",
  since: "1.0.0",
  group: "string",
  arity: 3,
  flags: ["write", "denyoom", "fast"],
  categories: ["write", "string", "fast"],
  keySpecs: [
    {
      flags: ["RW", "access", "update"],
      beginSearch: { kind: "index", index: 1 },
      findKeys: { kind: "range", lastKey: 0, keyStep: 1, limit: 0 },
    },
  ],
  arguments: [
    { name: "key", type: "key", keySpecIndex: 0 },
    { name: "value", type: "string" },
  ],
  docFlags: ["deprecated"],
  deprecatedSince: "6.2.0",
  replacedBy: "`SET` with the `!GET` argument",
  run: runGetSet,
};

function runGetSet(context: KeyContext): void {
  const ref = findStringToRead(context, 1);
  if (ref === NOT_A_STRING) return;
  replyValue(context, ref);
  storeArgument(context, { key: 1, value: 2 }, 0);
}
