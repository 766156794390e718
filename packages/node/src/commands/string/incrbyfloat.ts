import type { KeyContext, WriteCommand } from "../command.ts";
import { NOT_A_FLOAT } from "../error-texts.ts";
import type { ExtendedFloat } from "./extended-float.ts";
import { addExtended, formatHuman, isInfinite } from "./extended-float.ts";
import { FLOAT_BYTES_MAX, parseExtended } from "./extended-float-text.ts";
import { findString, NOT_A_STRING, storeText } from "./value.ts";

const ZERO: ExtendedFloat = { negative: false, mantissa: 0n, exponent: 0 };

/** INCRBYFLOAT key increment */
export const incrbyfloat: WriteCommand = {
  kind: "write",
  name: "incrbyfloat",
  summary: "Increment the float value of a key by the given amount",
  complexity: "O(1)",
  since: "2.6.0",
  group: "string",
  arity: 3,
  flags: ["write", "denyoom", "fast"],
  categories: ["write", "string", "fast"],
  keySpecs: [
    {
      flags: ["RW", "access", "update"],
      beginSearch: { kind: "index", index: 1 },
      findKeys: { kind: "range", lastKey: 0, keyStep: 1, limit: 0 },
    },
  ],
  arguments: [
    { name: "key", type: "key", keySpecIndex: 0 },
    { name: "increment", type: "double" },
  ],
  run: runIncrByFloat,
};

function runIncrByFloat(context: KeyContext): void {
  const { argv, keyspace, reply } = context;
  const ref = findString(context, 1);
  if (ref === NOT_A_STRING) return;
  let old: ExtendedFloat | null = ZERO;
  if (ref !== 0) {
    const start = keyspace.valueStart(ref);
    old = readFloat(keyspace.valueBuffer(ref), start, start + keyspace.valueLength(ref));
  }
  const by = old === null ? null : readFloat(argv.buffer, argv.starts[2], argv.ends[2]);
  if (old === null || by === null) {
    reply.error(NOT_A_FLOAT);
    return;
  }
  const sum = addExtended(old, by);
  if (sum === null || isInfinite(sum)) {
    reply.error("ERR increment would produce NaN or Infinity");
    return;
  }
  const text = formatHuman(sum);
  storeText(context, 1, ref, text);
  reply.bulkText(text);
}

function readFloat(buffer: Uint8Array, start: number, end: number): ExtendedFloat | null {
  if (end - start > FLOAT_BYTES_MAX) return null;
  let text = "";
  for (let at = start; at < end; at++) text += String.fromCharCode(buffer[at]);
  return parseExtended(text);
}
