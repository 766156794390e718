/** The options of SET and GETEX. */
import type { Argv } from "../../resp/argv.ts";
import { invalidExpireTime, NOT_AN_INTEGER } from "../error-texts.ts";
import type { ExpiryForm } from "../expire-time.ts";
import { INVALID_EXPIRY, positiveExpiry } from "../expire-time.ts";
import { parseInteger } from "../integer.ts";
import type { KeyContext } from "../command.ts";

const EXPIRY_OPTIONS: readonly (readonly [string, ExpiryForm])[] = [
  ["EX", { unit: "seconds", origin: "now" }],
  ["PX", { unit: "milliseconds", origin: "now" }],
  ["EXAT", { unit: "seconds", origin: "epoch" }],
  ["PXAT", { unit: "milliseconds", origin: "epoch" }],
];

export interface SetOptions {
  readonly condition: "NX" | "XX" | null;
  readonly get: boolean;
  readonly keepTtl: boolean;
  readonly persist: boolean;
  /** Argument that holds the time, 0 when there is none. */
  readonly expiryIndex: number;
  readonly expiryForm: ExpiryForm | null;
}

/**
 * Reads the options from argument `first` on, by the rules Redis has: an option may be repeated, at most one kind of
 * expiry may be given, NX excludes XX. Null when the syntax is wrong.
 */
export function parseSetOptions(
  argv: Argv,
  first: number,
  command: "set" | "getex",
): SetOptions | null {
  let condition: "NX" | "XX" | null = null;
  let get = false;
  let keepTtl = false;
  let persist = false;
  let expiryIndex = 0;
  let expiryForm: ExpiryForm | null = null;
  for (let index = first; index < argv.count; index++) {
    const isSet = command === "set";
    if (isSet && argv.isWord(index, "NX") && condition !== "XX") {
      condition = "NX";
    } else if (isSet && argv.isWord(index, "XX") && condition !== "NX") {
      condition = "XX";
    } else if (isSet && argv.isWord(index, "GET")) {
      get = true;
    } else if (isSet && argv.isWord(index, "KEEPTTL") && expiryForm === null) {
      keepTtl = true;
    } else if (!isSet && argv.isWord(index, "PERSIST") && expiryForm === null) {
      persist = true;
    } else {
      const form = expiryOption(argv, index);
      const isFree = !keepTtl && !persist && (expiryForm === null || expiryForm === form);
      if (form === null || !isFree || index + 1 >= argv.count) return null;
      expiryForm = form;
      expiryIndex = ++index;
    }
  }
  return { condition, get, keepTtl, persist, expiryIndex, expiryForm };
}

function expiryOption(argv: Argv, index: number): ExpiryForm | null {
  for (const [word, form] of EXPIRY_OPTIONS) if (argv.isWord(index, word)) return form;
  return null;
}

/** The expiry in Unix ms that argument `index` means; INVALID_EXPIRY after the client was told what is wrong. */
export function readExpiry(
  context: KeyContext,
  option: { readonly index: number; readonly form: ExpiryForm; readonly commandName: string },
): number {
  const { argv, reply } = context;
  const value = parseInteger(argv.buffer, argv.starts[option.index], argv.ends[option.index]);
  if (value === null) {
    reply.error(NOT_AN_INTEGER);
    return INVALID_EXPIRY;
  }
  const expireAtMs = positiveExpiry(value, option.form, context.nowMs);
  if (expireAtMs === INVALID_EXPIRY) reply.error(invalidExpireTime(option.commandName));
  return expireAtMs;
}
