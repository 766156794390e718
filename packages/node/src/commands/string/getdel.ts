import type { KeyContext, WriteCommand } from "../command.ts";
import { findStringToRead, NOT_A_STRING, replyValue } from "./value.ts";

/** GETDEL key */
export const getdel: WriteCommand = {
  kind: "write",
  name: "getdel",
  summary: "Get the value of a key and delete the key",
  complexity: "O(1)",
  since: "6.2.0",
  group: "string",
  arity: 2,
  flags: ["write", "fast"],
  categories: ["write", "string", "fast"],
  keySpecs: [
    {
      flags: ["RW", "access", "delete"],
      beginSearch: { kind: "index", index: 1 },
      findKeys: { kind: "range", lastKey: 0, keyStep: 1, limit: 0 },
    },
  ],
  arguments: [{ name: "key", type: "key", keySpecIndex: 0 }],
  run: runGetDel,
};

function runGetDel(context: KeyContext): void {
  const ref = findStringToRead(context, 1);
  if (ref === NOT_A_STRING) return;
  replyValue(context, ref);
  if (ref === 0) return;
  const { argv, keyspace, nowMs } = context;
  keyspace.remove(argv.buffer, argv.starts[1], argv.ends[1], nowMs);
}
