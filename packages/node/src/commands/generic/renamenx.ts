import type { KeyContext, WriteCommand } from "../command.ts";
import { moveKey } from "./move-key.ts";

/** RENAMENX key newkey */
export const renamenx: WriteCommand = {
  kind: "write",
  name: "renamenx",
  summary: "Rename a key, only if the new key does not exist",
  complexity: "O(1)",
  since: "1.0.0",
  group: "generic",
  arity: 3,
  flags: ["write", "fast"],
  categories: ["keyspace", "write", "fast"],
  keySpecs: [
    {
      flags: ["RW", "access", "delete"],
      beginSearch: { kind: "index", index: 1 },
      findKeys: { kind: "range", lastKey: 0, keyStep: 1, limit: 0 },
    },
    {
      flags: ["OW", "insert"],
      beginSearch: { kind: "index", index: 2 },
      findKeys: { kind: "range", lastKey: 0, keyStep: 1, limit: 0 },
    },
  ],
  arguments: [
    { name: "key", type: "key", keySpecIndex: 0 },
    { name: "newkey", type: "key", keySpecIndex: 1 },
  ],
  history: [
    [
      "3.2.0",
      "The command no longer returns an error when source and destination names are the same.",
    ],
  ],
  run: runRenameNx,
};

function runRenameNx(context: KeyContext): void {
  const outcome = moveKey(context, { replace: false });
  if (outcome !== "missing") context.reply.integer(outcome === "moved" ? 1 : 0);
}
