import type { KeyContext, ReadCommand } from "../command.ts";
import { replyExpiry } from "./reply-expiry.ts";

/** EXPIRETIME key */
export const expiretime: ReadCommand = {
  kind: "read",
  name: "expiretime",
  summary: "Get the expiration Unix timestamp for a key",
  complexity: "O(1)",
  since: "7.0.0",
  group: "generic",
  arity: 2,
  flags: ["readonly", "fast"],
  categories: ["keyspace", "read", "fast"],
  keySpecs: [
    {
      flags: ["RO", "access"],
      beginSearch: { kind: "index", index: 1 },
      findKeys: { kind: "range", lastKey: 0, keyStep: 1, limit: 0 },
    },
  ],
  arguments: [{ name: "key", type: "key", keySpecIndex: 0 }],
  run: runExpireTime,
};

function runExpireTime(context: KeyContext): void {
  replyExpiry(context, { unit: "seconds", origin: "epoch" });
}
