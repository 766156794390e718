import type { KeyContext, ReadCommand } from "../command.ts";
import { findKeyUntouched } from "../lookup.ts";

/** OBJECT ENCODING key */
export const objectEncoding: ReadCommand = {
  kind: "read",
  name: "object|encoding",
  summary: "Inspect the internal encoding of a Redis object",
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
  run: runEncoding,
};

/** Bytes up to which Redis keeps a string in one piece with its header. */
const EMBEDDED_BYTES_MAX = 44;

/**
 * What Redis would say of a value set by SET. A value grown by APPEND or SETRANGE is "raw" in Redis however short it
 * is; here the encoding follows from the value alone, so that a replica restored from a snapshot says the same.
 */
function runEncoding(context: KeyContext): void {
  const { keyspace, reply } = context;
  const ref = findKeyUntouched(context, 2);
  if (ref === 0) reply.nullBulk();
  else if (keyspace.isInteger(ref)) reply.bulkText("int");
  else reply.bulkText(keyspace.valueLength(ref) <= EMBEDDED_BYTES_MAX ? "embstr" : "raw");
}
