import type { KeyContext, ReadCommand } from "../command.ts";
import { replyExpiry } from "./reply-expiry.ts";

/** TTL key */
export const ttl: ReadCommand = {
  kind: "read",
  name: "ttl",
  summary: "Get the time to live for a key in seconds",
  complexity: "O(1)",
  since: "1.0.0",
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
  history: [["2.8.0", "Added the -2 reply."]],
  tips: ["nondeterministic_output"],
  run: runTtl,
};

function runTtl(context: KeyContext): void {
  replyExpiry(context, { unit: "seconds", origin: "now" });
}
