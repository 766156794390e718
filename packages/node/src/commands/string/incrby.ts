import type { KeyContext, WriteCommand } from "../command.ts";
import { NOT_AN_INTEGER } from "../error-texts.ts";
import { parseInteger } from "../integer.ts";
import { increment } from "./increment.ts";

/** INCRBY key increment */
export const incrby: WriteCommand = {
  kind: "write",
  name: "incrby",
  summary: "Increment the integer value of a key by the given amount",
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
    { name: "increment", type: "integer" },
  ],
  run: runIncrBy,
};

function runIncrBy(context: KeyContext): void {
  const { argv } = context;
  const by = parseInteger(argv.buffer, argv.starts[2], argv.ends[2]);
  if (by === null) context.reply.error(NOT_AN_INTEGER);
  else increment(context, by);
}
