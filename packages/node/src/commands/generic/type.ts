import type { KeyContext, ReadCommand } from "../command.ts";
import { findKeyUntouched } from "../lookup.ts";
import { typeName } from "../value-types.ts";

/** TYPE key */
export const type: ReadCommand = {
  kind: "read",
  name: "type",
  summary: "Determine the type stored at key",
  complexity: "O(1)",
  since: "1.0.0",
  group: "generic",
  arity: 2,
  flags: ["readonly", "fast"],
  categories: ["keyspace", "read", "fast"],
  keySpecs: [
    {
      flags: ["RO"],
      beginSearch: { kind: "index", index: 1 },
      findKeys: { kind: "range", lastKey: 0, keyStep: 1, limit: 0 },
    },
  ],
  arguments: [{ name: "key", type: "key", keySpecIndex: 0 }],
  run: runType,
};

function runType(context: KeyContext): void {
  const ref = findKeyUntouched(context, 1);
  context.reply.simple(ref === 0 ? "none" : typeName(context.keyspace.type(ref)));
}
