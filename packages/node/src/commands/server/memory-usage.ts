import type { Argv } from "../../resp/argv.ts";
import type { KeyContext, ReadCommand } from "../command.ts";
import { NOT_AN_INTEGER, SYNTAX_ERROR } from "../error-texts.ts";
import { parseInteger } from "../integer.ts";

/**
 * MEMORY USAGE key [SAMPLES count]: bytes of the entry with its share of the index. The count is checked and has no
 * effect: what an entry takes is known exactly, nothing is estimated from samples.
 */
export const memoryUsage: ReadCommand = {
  kind: "read",
  name: "memory|usage",
  summary: "Estimate the memory usage of a key",
  complexity: "O(N) where N is the number of samples.",
  since: "4.0.0",
  group: "server",
  arity: -3,
  flags: ["readonly"],
  categories: ["read", "slow"],
  keySpecs: [
    {
      flags: ["RO"],
      beginSearch: { kind: "index", index: 2 },
      findKeys: { kind: "range", lastKey: 0, keyStep: 1, limit: 0 },
    },
  ],
  arguments: [
    { name: "key", type: "key", keySpecIndex: 0 },
    { name: "count", type: "integer", token: "SAMPLES", flags: ["optional"] },
  ],
  run: runUsage,
};

function runUsage({ argv, keyspace, nowMs, reply }: KeyContext): void {
  const problem = checkOptions(argv);
  if (problem !== null) {
    reply.error(problem);
    return;
  }
  // Looking at a key from outside is neither a use of it nor a hit.
  const ref = keyspace.find(argv.buffer, argv.starts[2], argv.ends[2], nowMs);
  if (ref === 0) reply.nullBulk();
  else reply.integer(keyspace.entryBytes(ref));
}

/** An error text, or null. */
function checkOptions(argv: Argv): string | null {
  for (let index = 3; index < argv.count; index += 2) {
    if (!argv.isWord(index, "SAMPLES") || index + 1 === argv.count) return SYNTAX_ERROR;
    const count = parseInteger(argv.buffer, argv.starts[index + 1], argv.ends[index + 1]);
    if (count === null) return NOT_AN_INTEGER;
    if (count < 0) return SYNTAX_ERROR;
  }
  return null;
}
