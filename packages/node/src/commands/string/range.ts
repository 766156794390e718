/** What GETRANGE and SUBSTR do. */
import type { KeyContext } from "../command.ts";
import { NOT_AN_INTEGER } from "../error-texts.ts";
import { parseInteger } from "../integer.ts";
import { findStringToRead, NOT_A_STRING } from "./value.ts";

/** Answers with the bytes from argument 2 to argument 3, both included, negative ones counted from the end. */
export function getRange(context: KeyContext): void {
  const { argv, keyspace, reply } = context;
  const first = parseInteger(argv.buffer, argv.starts[2], argv.ends[2]);
  const last = first === null ? null : parseInteger(argv.buffer, argv.starts[3], argv.ends[3]);
  if (first === null || last === null) {
    reply.error(NOT_AN_INTEGER);
    return;
  }
  const ref = findStringToRead(context, 1);
  if (ref === NOT_A_STRING) return;
  if (ref === 0) {
    reply.bulkText("");
    return;
  }
  const length = keyspace.valueLength(ref);
  const { from, to } = clampRange(first, last, length);
  const start = keyspace.valueStart(ref);
  if (from >= to) reply.bulkText("");
  else reply.bulkRange(keyspace.valueBuffer(ref), start + from, start + to);
}

/** The half-open range of `length` bytes that an inclusive one with negative positions means. */
function clampRange(
  first: number | bigint,
  last: number | bigint,
  length: number,
): { readonly from: number; readonly to: number } {
  if (first < 0 && last < 0 && first > last) return { from: 0, to: 0 };
  // Positions beyond 2^53 are beyond any string; as doubles they stay beyond it.
  const start = Number(first);
  const end = Number(last);
  const from = Math.max(0, start < 0 ? length + start : start);
  const inclusive = Math.max(0, end < 0 ? length + end : end);
  return { from, to: Math.min(length, inclusive + 1) };
}
