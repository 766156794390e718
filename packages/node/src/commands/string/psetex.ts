import type { KeyContext, WriteCommand } from "../command.ts";
import type { ExpiryForm } from "../expire-time.ts";
import { INVALID_EXPIRY } from "../expire-time.ts";
import { readExpiry } from "./set-options.ts";
import { storeArgument } from "./value.ts";

const FORM: ExpiryForm = { unit: "milliseconds", origin: "now" };

/** PSETEX key milliseconds value */
export const psetex: WriteCommand = {
  kind: "write",
  name: "psetex",
  summary: "Set the value and expiration in milliseconds of a key",
  complexity: "O(1)",
  since: "2.6.0",
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
    { name: "milliseconds", type: "integer" },
    { name: "value", type: "string" },
  ],
  run: runPSetEx,
};

function runPSetEx(context: KeyContext): void {
  const expireAtMs = readExpiry(context, { index: 2, form: FORM, commandName: "psetex" });
  if (expireAtMs === INVALID_EXPIRY) return;
  storeArgument(context, { key: 1, value: 3 }, expireAtMs);
  context.reply.ok();
}
