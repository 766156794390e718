import type { KeyContext, WriteCommand } from "../command.ts";
import { findKey } from "../lookup.ts";

/** PERSIST key */
export const persist: WriteCommand = {
  kind: "write",
  name: "persist",
  summary: "Remove the expiration from a key",
  complexity: "O(1)",
  since: "2.2.0",
  group: "generic",
  arity: 2,
  flags: ["write", "fast"],
  categories: ["keyspace", "write", "fast"],
  keySpecs: [
    {
      flags: ["RW", "update"],
      beginSearch: { kind: "index", index: 1 },
      findKeys: { kind: "range", lastKey: 0, keyStep: 1, limit: 0 },
    },
  ],
  arguments: [{ name: "key", type: "key", keySpecIndex: 0 }],
  run: runPersist,
};

function runPersist(context: KeyContext): void {
  const { keyspace, reply } = context;
  const ref = findKey(context, 1);
  const expires = ref !== 0 && keyspace.expireAtMs(ref) !== 0;
  if (expires) keyspace.setExpireAt(ref, 0);
  reply.integer(expires ? 1 : 0);
}
