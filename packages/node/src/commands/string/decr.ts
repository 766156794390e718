import type { KeyContext, WriteCommand } from "../command.ts";
import { increment } from "./increment.ts";

/** DECR key */
export const decr: WriteCommand = {
  kind: "write",
  name: "decr",
  summary: "Decrement the integer value of a key by one",
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
  run: runDecr,
};

function runDecr(context: KeyContext): void {
  increment(context, -1);
}
