import type { KeyContext, WriteCommand } from "../command.ts";
import { SYNTAX_ERROR } from "../error-texts.ts";
import { INVALID_EXPIRY } from "../expire-time.ts";
import { parseSetOptions, readExpiry } from "./set-options.ts";
import { findStringToRead, NOT_A_STRING, replyValue } from "./value.ts";

/** GETEX key [EX s | PX ms | EXAT s | PXAT ms | PERSIST] */
export const getex: WriteCommand = {
  kind: "write",
  name: "getex",
  summary: "Get the value of a key and optionally set its expiration",
  complexity: "O(1)",
  since: "6.2.0",
  group: "string",
  arity: -2,
  flags: ["write", "fast"],
  categories: ["write", "string", "fast"],
  keySpecs: [
    {
      notes: "RW and UPDATE because it changes the TTL",
      flags: ["RW", "access", "update"],
      beginSearch: { kind: "index", index: 1 },
      findKeys: { kind: "range", lastKey: 0, keyStep: 1, limit: 0 },
    },
  ],
  arguments: [
    { name: "key", type: "key", keySpecIndex: 0 },
    {
      name: "expiration",
      type: "oneof",
      flags: ["optional"],
      arguments: [
        { name: "seconds", type: "integer", token: "EX" },
        { name: "milliseconds", type: "integer", token: "PX" },
        { name: "unix-time-seconds", type: "unix-time", token: "EXAT" },
        { name: "unix-time-milliseconds", type: "unix-time", token: "PXAT" },
        { name: "persist", type: "pure-token", token: "PERSIST" },
      ],
    },
  ],
  run: runGetEx,
};

function runGetEx(context: KeyContext): void {
  const { argv, keyspace, nowMs, reply } = context;
  const options = parseSetOptions(argv, 2, "getex");
  if (options === null) {
    reply.error(SYNTAX_ERROR);
    return;
  }
  const ref = findStringToRead(context, 1);
  if (ref === NOT_A_STRING) return;
  if (ref === 0) {
    reply.nullBulk();
    return;
  }
  let expireAtMs = 0;
  if (options.expiryForm !== null) {
    const { expiryIndex: index, expiryForm: form } = options;
    expireAtMs = readExpiry(context, { index, form, commandName: "getex" });
    if (expireAtMs === INVALID_EXPIRY) return;
  }
  replyValue(context, ref);
  if (options.persist) {
    if (keyspace.expireAtMs(ref) !== 0) keyspace.setExpireAt(ref, 0);
  } else if (expireAtMs > nowMs) {
    keyspace.setExpireAt(ref, expireAtMs);
  } else if (options.expiryForm !== null) {
    keyspace.remove(argv.buffer, argv.starts[1], argv.ends[1], nowMs);
  }
}
