/** What INCR, DECR, INCRBY and DECRBY do: add to the integer behind a key, exactly, within 64 bits. */
import type { KeyContext } from "../command.ts";
import { NOT_AN_INTEGER } from "../error-texts.ts";
import { INT64_MAX, INT64_MIN, parseInt64, parseSmallInteger } from "../integer.ts";
import { findString, NOT_A_STRING, storeInteger, storeText } from "./value.ts";

/** Adds `by` to the value of the key of argument 1 and answers with the sum. A missing key counts as 0. */
export function increment(context: KeyContext, by: number | bigint): void {
  const { keyspace, reply } = context;
  const ref = findString(context, 1);
  if (ref === NOT_A_STRING) return;
  let old = 0;
  if (ref !== 0) {
    const start = keyspace.valueStart(ref);
    old = parseSmallInteger(keyspace.valueBuffer(ref), start, start + keyspace.valueLength(ref));
  }
  if (typeof by === "number") {
    const sum = old + by;
    // False for NaN too: what is not a small integer goes the exact way.
    if (Number.isSafeInteger(sum)) {
      storeInteger(context, 1, ref, sum);
      reply.integer(sum);
      return;
    }
  }
  incrementExactly(context, ref, BigInt(by));
}

function incrementExactly(context: KeyContext, ref: number, by: bigint): void {
  const { keyspace, reply } = context;
  let old: bigint | null = 0n;
  if (ref !== 0) {
    const start = keyspace.valueStart(ref);
    old = parseInt64(keyspace.valueBuffer(ref), start, start + keyspace.valueLength(ref));
  }
  if (old === null) {
    reply.error(NOT_AN_INTEGER);
    return;
  }
  const sum = old + by;
  if (sum > INT64_MAX || sum < INT64_MIN) {
    reply.error("ERR increment or decrement would overflow");
    return;
  }
  storeText(context, 1, ref, sum.toString());
  reply.integer(sum);
}
