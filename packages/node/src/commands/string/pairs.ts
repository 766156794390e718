/** What MSET and MSETNX do once they may. */
import type { KeyContext } from "../command.ts";

/** Stores every value under the key before it, from argument 1 on, without expiry. */
export function storePairs(context: KeyContext): void {
  const { argv, keyspace, nowMs } = context;
  const { starts, ends } = argv;
  for (let key = 1; key + 1 < argv.count; key += 2) {
    keyspace.setStringFast(
      argv.buffer,
      starts[key],
      ends[key],
      starts[key + 1],
      ends[key + 1],
      0,
      nowMs,
    );
  }
}
