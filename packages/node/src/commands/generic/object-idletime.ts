import type { KeyContext, ReadCommand } from "../command.ts";
import { findKeyUntouched } from "../lookup.ts";

/** OBJECT IDLETIME key */
export const objectIdletime: ReadCommand = {
  kind: "read",
  name: "object|idletime",
  summary: "Get the time since a Redis object was last accessed",
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
  run: runIdleTime,
};

function runIdleTime(context: KeyContext): void {
  const { keyspace, nowMs, reply } = context;
  const ref = findKeyUntouched(context, 2);
  if (ref === 0) reply.nullBulk();
  else reply.integer(keyspace.idleSeconds(ref, nowMs));
}
