import type { KeyContext, WriteCommand } from "../command.ts";
import { NOT_AN_INTEGER, STRING_TOO_LONG } from "../error-texts.ts";
import { parseInteger } from "../integer.ts";
import { findString, NOT_A_STRING, resizeValue, STRING_BYTES_MAX } from "./value.ts";

/** SETRANGE key offset value */
export const setrange: WriteCommand = {
  kind: "write",
  name: "setrange",
  summary: "Overwrite part of a string at key starting at the specified offset",
  complexity:
    "O(1), not counting the time taken to copy the new string in place. Usually, this string is very small so the amortized complexity is O(1). Otherwise, complexity is O(M) with M being the length of the value argument.",
  since: "2.2.0",
  group: "string",
  arity: 4,
  flags: ["write", "denyoom"],
  categories: ["write", "string", "slow"],
  keySpecs: [
    {
      flags: ["RW", "update"],
      beginSearch: { kind: "index", index: 1 },
      findKeys: { kind: "range", lastKey: 0, keyStep: 1, limit: 0 },
    },
  ],
  arguments: [
    { name: "key", type: "key", keySpecIndex: 0 },
    { name: "offset", type: "integer" },
    { name: "value", type: "string" },
  ],
  run: runSetRange,
};

function runSetRange(context: KeyContext): void {
  const { argv, keyspace, reply } = context;
  const parsed = parseInteger(argv.buffer, argv.starts[2], argv.ends[2]);
  if (parsed === null) {
    reply.error(NOT_AN_INTEGER);
    return;
  }
  if (parsed < 0) {
    reply.error("ERR offset is out of range");
    return;
  }
  const ref = findString(context, 1);
  if (ref === NOT_A_STRING) return;
  const oldLength = ref === 0 ? 0 : keyspace.valueLength(ref);
  const added = argv.length(3);
  if (added === 0) {
    reply.integer(oldLength);
    return;
  }
  const offset = Number(parsed);
  if (offset + added > STRING_BYTES_MAX) {
    reply.error(STRING_TOO_LONG);
    return;
  }
  const length = Math.max(oldLength, offset + added);
  const entry = resizeValue(context, 1, ref, length);
  const at = keyspace.valueStart(entry) + offset;
  keyspace.valueBuffer(entry).set(argv.bytes(3), at);
  reply.integer(length);
}
