import type { KeyContext, ReadCommand } from "../command.ts";
import { parseSmallInteger } from "../integer.ts";
import { findKeyUntouched } from "../lookup.ts";

/** OBJECT REFCOUNT key */
export const objectRefcount: ReadCommand = {
  kind: "read",
  name: "object|refcount",
  summary: "Get the number of references to the value of the key",
  complexity: "O(1)",
  since: "2.2.3",
  group: "generic",
  arity: 3,
  flags: ["readonly"],
  categories: ["keyspace", "read", "slow"],
  keySpecs: [
    {
      flags: ["RO"],
      beginSearch: { kind: "index", index: 2 },
      findKeys: { kind: "range", lastKey: 0, keyStep: 1, limit: 0 },
    },
  ],
  arguments: [{ name: "key", type: "key", keySpecIndex: 0 }],
  tips: ["nondeterministic_output"],
  run: runRefcount,
};

/** Redis shares the objects of the integers below this, and says so by the greatest count there is. */
const SHARED_INTEGERS = 10_000;
const SHARED_COUNT = 2_147_483_647;

function runRefcount(context: KeyContext): void {
  const { keyspace, reply } = context;
  const ref = findKeyUntouched(context, 2);
  if (ref === 0) {
    reply.nullBulk();
    return;
  }
  const start = keyspace.valueStart(ref);
  const end = start + keyspace.valueLength(ref);
  const value = keyspace.isInteger(ref)
    ? parseSmallInteger(keyspace.valueBuffer(ref), start, end)
    : NaN;
  reply.integer(value >= 0 && value < SHARED_INTEGERS ? SHARED_COUNT : 1);
}
