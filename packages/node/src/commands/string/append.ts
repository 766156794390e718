import type { KeyContext, WriteCommand } from "../command.ts";
import { STRING_TOO_LONG } from "../error-texts.ts";
import { findString, NOT_A_STRING, resizeValue, storeArgument, STRING_BYTES_MAX } from "./value.ts";

/** APPEND key value */
export const append: WriteCommand = {
  kind: "write",
  name: "append",
  summary: "Append a value to a key",
  complexity:
    "O(1). The amortized time complexity is O(1) assuming the appended value is small and the already present value is of any size, since the dynamic string library used by Redis will double the free space available on every reallocation.",
  since: "2.0.0",
  group: "string",
  arity: 3,
  flags: ["write", "denyoom", "fast"],
  categories: ["write", "string", "fast"],
  keySpecs: [
    {
      flags: ["RW", "insert"],
      beginSearch: { kind: "index", index: 1 },
      findKeys: { kind: "range", lastKey: 0, keyStep: 1, limit: 0 },
    },
  ],
  arguments: [
    { name: "key", type: "key", keySpecIndex: 0 },
    { name: "value", type: "string" },
  ],
  run: runAppend,
};

function runAppend(context: KeyContext): void {
  const { argv, keyspace, reply } = context;
  const ref = findString(context, 1);
  if (ref === NOT_A_STRING) return;
  const added = argv.length(2);
  if (ref === 0) {
    storeArgument(context, { key: 1, value: 2 }, 0);
    reply.integer(added);
    return;
  }
  const oldLength = keyspace.valueLength(ref);
  const length = oldLength + added;
  if (length > STRING_BYTES_MAX) {
    reply.error(STRING_TOO_LONG);
    return;
  }
  if (added > 0) {
    const entry = resizeValue(context, 1, ref, length);
    keyspace.valueBuffer(entry).set(argv.bytes(2), keyspace.valueStart(entry) + oldLength);
  }
  reply.integer(length);
}
