import type { KeyContext, WriteCommand } from "../command.ts";
import { increment } from "./increment.ts";

/** INCR key */
export const incr: WriteCommand = {
  kind: "write",
  name: "incr",
  summary: "Increment the integer value of a key by one",
  complexity: "O(1)",
  since: "1.0.0",
  group: "string",
  arity: 2,
  flags: ["write", "denyoom", "fast"],
  categories: ["write", "string", "fast"],
  keySpecs: [
    {
      flags: ["RW", "access", "update"],
      beginSearch: { kind: "index", index: 1 },
      findKeys: { kind: "range", lastKey: 0, keyStep: 1, limit: 0 },
    },
  ],
  arguments: [{ name: "key", type: "key", keySpecIndex: 0 }],
  run: runIncr,
};

function runIncr(context: KeyContext): void {
  increment(context, 1);
}
