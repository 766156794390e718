import type { KeyContext, WriteCommand } from "../command.ts";
import { NOT_AN_INTEGER } from "../error-texts.ts";
import { INT64_MIN, parseInteger } from "../integer.ts";
import { increment } from "./increment.ts";

/** DECRBY key decrement */
export const decrby: WriteCommand = {
  kind: "write",
  name: "decrby",
  summary: "Decrement the integer value of a key by the given number",
  complexity: "O(1)",
  since: "1.0.0",
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
    { name: "decrement", type: "integer" },
  ],
  run: runDecrBy,
};

function runDecrBy(context: KeyContext): void {
  const { argv, reply } = context;
  const by = parseInteger(argv.buffer, argv.starts[2], argv.ends[2]);
  if (by === null) reply.error(NOT_AN_INTEGER);
  // The smallest integer has no positive counterpart.
  else if (by === INT64_MIN) reply.error("ERR decrement would overflow");
  else increment(context, -by);
}
