import type { KeyContext, WriteCommand } from "../command.ts";
import { setExpiry } from "./set-expiry.ts";

/** EXPIRE key seconds [NX | XX | GT | LT] */
export const expire: WriteCommand = {
  kind: "write",
  name: "expire",
  summary: "Set a key's time to live in seconds",
  complexity: "O(1)",
  since: "1.0.0",
  group: "generic",
  arity: -3,
  flags: ["write", "fast"],
  categories: ["keyspace", "write", "fast"],
  keySpecs: [
    {
      flags: ["RW", "update"],
      beginSearch: { kind: "index", index: 1 },
      findKeys: { kind: "range", lastKey: 0, keyStep: 1, limit: 0 },
    },
  ],
  arguments: [
    { name: "key", type: "key", keySpecIndex: 0 },
    { name: "seconds", type: "integer" },
    {
      name: "condition",
      type: "oneof",
      since: "7.0.0",
      flags: ["optional"],
      arguments: [
        { name: "nx", type: "pure-token", token: "NX" },
        { name: "xx", type: "pure-token", token: "XX" },
        { name: "gt", type: "pure-token", token: "GT" },
        { name: "lt", type: "pure-token", token: "LT" },
      ],
    },
  ],
  history: [["7.0.0", "Added options: `NX`, `XX`, `GT` and `LT`."]],
  run: runExpire,
};

function runExpire(context: KeyContext): void {
  setExpiry(context, { unit: "seconds", origin: "now" }, "expire");
}
