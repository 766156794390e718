import type { KeyContext, ReadCommand } from "../command.ts";
import { findStringToRead, NOT_A_STRING, replyValue } from "./value.ts";

/** GET key */
export const get: ReadCommand = {
  kind: "read",
  name: "get",
  summary: "Get the value of a key",
  complexity: "O(1)",
  since: "1.0.0",
  group: "string",
  arity: 2,
  flags: ["readonly", "fast"],
  categories: ["read", "string", "fast"],
  keySpecs: [
    {
      flags: ["RO", "access"],
      beginSearch: { kind: "index", index: 1 },
      findKeys: { kind: "range", lastKey: 0, keyStep: 1, limit: 0 },
    },
  ],
  arguments: [{ name: "key", type: "key", keySpecIndex: 0 }],
  run: runGet,
};

function runGet(context: KeyContext): void {
  const ref = findStringToRead(context, 1);
  if (ref !== NOT_A_STRING) replyValue(context, ref);
}
