/** What EXPIRE, PEXPIRE, EXPIREAT and PEXPIREAT do. */
import type { Argv } from "../../resp/argv.ts";
import type { KeyContext } from "../command.ts";
import { invalidExpireTime, NOT_AN_INTEGER } from "../error-texts.ts";
import type { ExpiryForm } from "../expire-time.ts";
import { anyExpiry } from "../expire-time.ts";
import { parseInteger } from "../integer.ts";
import { findKey } from "../lookup.ts";
import { quotedArgument } from "../refusal.ts";

interface Conditions {
  /** Only when the key has no expiry. */
  nx: boolean;
  /** Only when it has one. */
  xx: boolean;
  /** Only when the new one is later; no expiry counts as never. */
  gt: boolean;
  /** Only when the new one is earlier. */
  lt: boolean;
}

/** Sets the expiry of the key of argument 1 to the time of argument 2; a time that has passed removes the key. */
export function setExpiry(context: KeyContext, form: ExpiryForm, commandName: string): void {
  const { argv, keyspace, nowMs, reply } = context;
  const conditions = parseConditions(argv);
  if (typeof conditions === "string") {
    reply.error(conditions);
    return;
  }
  const value = parseInteger(argv.buffer, argv.starts[2], argv.ends[2]);
  if (value === null) {
    reply.error(NOT_AN_INTEGER);
    return;
  }
  const expireAtMs = anyExpiry(value, form, nowMs);
  if (expireAtMs === null) {
    reply.error(invalidExpireTime(commandName));
    return;
  }
  const ref = findKey(context, 1);
  if (ref === 0 || !allows(conditions, keyspace.expireAtMs(ref), expireAtMs)) {
    reply.integer(0);
    return;
  }
  if (expireAtMs > nowMs) keyspace.setExpireAt(ref, expireAtMs);
  else keyspace.remove(argv.buffer, argv.starts[1], argv.ends[1], nowMs);
  reply.integer(1);
}

/** The conditions, or an error text. */
function parseConditions(argv: Argv): Conditions | string {
  if (argv.count === 3) return NO_CONDITIONS;
  const conditions: Conditions = { nx: false, xx: false, gt: false, lt: false };
  for (let index = 3; index < argv.count; index++) {
    if (argv.isWord(index, "NX")) conditions.nx = true;
    else if (argv.isWord(index, "XX")) conditions.xx = true;
    else if (argv.isWord(index, "GT")) conditions.gt = true;
    else if (argv.isWord(index, "LT")) conditions.lt = true;
    else return `ERR Unsupported option ${quotedArgument(argv, index)}`;
  }
  const { nx, xx, gt, lt } = conditions;
  if (nx && (xx || gt || lt)) {
    return "ERR NX and XX, GT or LT options at the same time are not compatible";
  }
  if (gt && lt) return "ERR GT and LT options at the same time are not compatible";
  return conditions;
}

const NO_CONDITIONS: Conditions = { nx: false, xx: false, gt: false, lt: false };

/** `oldMs` is 0 for a key that does not expire. */
function allows(conditions: Conditions, oldMs: number, newMs: number): boolean {
  const expires = oldMs !== 0;
  if (conditions.nx && expires) return false;
  if (conditions.xx && !expires) return false;
  if (conditions.gt && (!expires || newMs <= oldMs)) return false;
  return !(conditions.lt && expires && newMs >= oldMs);
}
