import type { KeyContext, WriteCommand } from "../command.ts";
import { setExpiry } from "./set-expiry.ts";

/** EXPIREAT key unix-time-seconds [NX | XX | GT | LT] */
export const expireat: WriteCommand = {
  kind: "write",
  name: "expireat",
  summary: "Set the expiration for a key as a UNIX timestamp",
  complexity: "O(1)",
  since: "1.2.0",
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
    { name: "unix-time-seconds", type: "unix-time" },
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
  run: runExpireAt,
};

function runExpireAt(context: KeyContext): void {
  setExpiry(context, { unit: "seconds", origin: "epoch" }, "expireat");
}
