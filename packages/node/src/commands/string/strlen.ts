import type { KeyContext, ReadCommand } from "../command.ts";
import { findStringToRead, NOT_A_STRING } from "./value.ts";

/** STRLEN key */
export const strlen: ReadCommand = {
  kind: "read",
  name: "strlen",
  summary: "Get the length of the value stored in a key",
  complexity: "O(1)",
  since: "2.2.0",
  group: "string",
  arity: 2,
  flags: ["readonly", "fast"],
  categories: ["read", "string", "fast"],
  keySpecs: [
    {
      flags: ["RO"],
      beginSearch: { kind: "index", index: 1 },
      findKeys: { kind: "range", lastKey: 0, keyStep: 1, limit: 0 },
    },
  ],
  arguments: [{ name: "key", type: "key", keySpecIndex: 0 }],
  run: runStrlen,
};

function runStrlen(context: KeyContext): void {
  const ref = findStringToRead(context, 1);
  if (ref === NOT_A_STRING) return;
  context.reply.integer(ref === 0 ? 0 : context.keyspace.valueLength(ref));
}
