/** What RENAME and RENAMENX do. */
import type { KeyContext } from "../command.ts";
import { NO_SUCH_KEY } from "../error-texts.ts";
import { findKey } from "../lookup.ts";
import { sameArguments } from "./same-arguments.ts";

/**
 * Moves the value and expiry of the key of argument 1 to the key of argument 2. "missing" after the client was told
 * that there is no such key; "kept" when nothing was done because the keys are one, or because the other is there and
 * `replace` is false.
 */
export function moveKey(
  context: KeyContext,
  options: { readonly replace: boolean },
): "moved" | "kept" | "missing" {
  const { argv, keyspace, nowMs, reply } = context;
  const source = findKey(context, 1);
  if (source === 0) {
    reply.error(NO_SUCH_KEY);
    return "missing";
  }
  if (sameArguments(argv, 1, 2)) return "kept";
  if (!options.replace && findKey(context, 2) !== 0) return "kept";
  const to = { buffer: argv.buffer, start: argv.starts[2], end: argv.ends[2] };
  keyspace.copyTo(source, to, nowMs);
  keyspace.remove(argv.buffer, argv.starts[1], argv.ends[1], nowMs);
  return "moved";
}
