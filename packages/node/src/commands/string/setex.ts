import type { KeyContext, WriteCommand } from "../command.ts";
import type { ExpiryForm } from "../expire-time.ts";
import { INVALID_EXPIRY } from "../expire-time.ts";
import { readExpiry } from "./set-options.ts";
import { storeArgument } from "./value.ts";

const FORM: ExpiryForm = { unit: "seconds", origin: "now" };

/** SETEX key seconds value */
export const setex: WriteCommand = {
  kind: "write",
  name: "setex",
  summary: "Set the value and expiration of a key",
  complexity: "O(1)",
  since: "2.0.0",
  group: "string",
  arity: 4,
  flags: ["write", "denyoom"],
  categories: ["write", "string", "slow"],
  keySpecs: [
    {
      flags: ["OW", "update"],
      beginSearch: { kind: "index", index: 1 },
      findKeys: { kind: "range", lastKey: 0, keyStep: 1, limit: 0 },
    },
  ],
  arguments: [
    { name: "key", type: "key", keySpecIndex: 0 },
    { name: "seconds", type: "integer" },
    { name: "value", type: "string" },
  ],
  run: runSetEx,
};

function runSetEx(context: KeyContext): void {
  const expireAtMs = readExpiry(context, { index: 2, form: FORM, commandName: "setex" });
  if (expireAtMs === INVALID_EXPIRY) return;
  storeArgument(context, { key: 1, value: 3 }, expireAtMs);
  context.reply.ok();
}
