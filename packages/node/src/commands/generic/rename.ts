import type { KeyContext, WriteCommand } from "../command.ts";
import { moveKey } from "./move-key.ts";

/** RENAME key newkey */
export const rename: WriteCommand = {
  kind: "write",
  name: "rename",
  summary: "Rename a key",
  complexity: "O(1)",
  since: "1.0.0",
  group: "generic",
  arity: 3,
  flags: ["write"],
  categories: ["keyspace", "write", "slow"],
  keySpecs: [
    {
      flags: ["RW", "access", "delete"],
      beginSearch: { kind: "index", index: 1 },
      findKeys: { kind: "range", lastKey: 0, keyStep: 1, limit: 0 },
    },
    {
      flags: ["OW", "update"],
      beginSearch: { kind: "index", index: 2 },
      findKeys: { kind: "range", lastKey: 0, keyStep: 1, limit: 0 },
    },
  ],
  arguments: [
    { name: "key", type: "key", keySpecIndex: 0 },
    { name: "newkey", type: "key", keySpecIndex: 1 },
  ],
  run: runRename,
};

function runRename(context: KeyContext): void {
  if (moveKey(context, { replace: true }) !== "missing") context.reply.ok();
}
