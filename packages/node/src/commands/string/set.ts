import type { Argv } from "../../resp/argv.ts";
import type { KeyContext, KeyFlag, WriteCommand } from "../command.ts";
import { SYNTAX_ERROR } from "../error-texts.ts";
import { INVALID_EXPIRY } from "../expire-time.ts";
import { findKey } from "../lookup.ts";
import type { SetOptions } from "./set-options.ts";
import { parseSetOptions, readExpiry } from "./set-options.ts";
import { findStringToRead, NOT_A_STRING, replyValue, storeArgument } from "./value.ts";

const NO_EXPIRY = 0;
const KEEP_EXPIRY = -1;
const KEY_AND_VALUE = { key: 1, value: 2 } as const;

/** SET key value [NX | XX] [GET] [EX s | PX ms | EXAT s | PXAT ms | KEEPTTL] */
export const set: WriteCommand = {
  kind: "write",
  name: "set",
  summary: "Set the string value of a key",
  complexity: "O(1)",
  since: "1.0.0",
  group: "string",
  arity: -3,
  flags: ["write", "denyoom"],
  categories: ["write", "string", "slow"],
  keySpecs: [
    {
      notes: "RW and ACCESS due to the optional `GET` argument",
      flags: ["RW", "access", "update", "variable_flags"],
      beginSearch: { kind: "index", index: 1 },
      findKeys: { kind: "range", lastKey: 0, keyStep: 1, limit: 0 },
    },
  ],
  arguments: [
    { name: "key", type: "key", keySpecIndex: 0 },
    { name: "value", type: "string" },
    {
      name: "condition",
      type: "oneof",
      since: "2.6.12",
      flags: ["optional"],
      arguments: [
        { name: "nx", type: "pure-token", token: "NX" },
        { name: "xx", type: "pure-token", token: "XX" },
      ],
    },
    { name: "get", type: "pure-token", token: "GET", since: "6.2.0", flags: ["optional"] },
    {
      name: "expiration",
      type: "oneof",
      flags: ["optional"],
      arguments: [
        { name: "seconds", type: "integer", token: "EX", since: "2.6.12" },
        { name: "milliseconds", type: "integer", token: "PX", since: "2.6.12" },
        { name: "unix-time-seconds", type: "unix-time", token: "EXAT", since: "6.2.0" },
        { name: "unix-time-milliseconds", type: "unix-time", token: "PXAT", since: "6.2.0" },
        { name: "keepttl", type: "pure-token", token: "KEEPTTL", since: "6.0.0" },
      ],
    },
  ],
  history: [
    ["2.6.12", "Added the `EX`, `PX`, `NX` and `XX` options."],
    ["6.0.0", "Added the `KEEPTTL` option."],
    ["6.2.0", "Added the `GET`, `EXAT` and `PXAT` option."],
    ["7.0.0", "Allowed the `NX` and `GET` options to be used together."],
  ],
  keyFlagsOf: keyFlags,
  run: runSet,
};

function runSet(context: KeyContext): void {
  if (context.argv.count === 3) {
    storeArgument(context, KEY_AND_VALUE, NO_EXPIRY);
    context.reply.ok();
    return;
  }
  const options = parseSetOptions(context.argv, 3, "set");
  if (options === null) context.reply.error(SYNTAX_ERROR);
  else runWithOptions(context, options);
}

function runWithOptions(context: KeyContext, options: SetOptions): void {
  const { reply } = context;
  let expireAtMs = options.keepTtl ? KEEP_EXPIRY : NO_EXPIRY;
  if (options.expiryForm !== null) {
    const { expiryIndex: index, expiryForm: form } = options;
    expireAtMs = readExpiry(context, { index, form, commandName: "set" });
    if (expireAtMs === INVALID_EXPIRY) return;
  }
  // The old value is answered before the condition is looked at: `SET k v NX GET` tells what kept it from being set.
  if (options.get) {
    const ref = findStringToRead(context, 1);
    if (ref === NOT_A_STRING) return;
    replyValue(context, ref);
  }
  if (options.condition !== null) {
    const isThere = findKey(context, 1) !== 0;
    if (isThere !== (options.condition === "XX")) {
      if (!options.get) reply.nullBulk();
      return;
    }
  }
  storeArgument(context, KEY_AND_VALUE, expireAtMs);
  if (!options.get) reply.ok();
}

function keyFlags(argv: Argv): readonly KeyFlag[] {
  for (let index = 3; index < argv.count; index++) {
    if (argv.isWord(index, "GET")) return ["RW", "access", "update"];
  }
  return ["OW", "update"];
}
