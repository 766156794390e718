/** What TTL, PTTL, EXPIRETIME and PEXPIRETIME answer. */
import type { KeyContext } from "../command.ts";
import type { ExpiryForm } from "../expire-time.ts";
import { findKeyUntouched } from "../lookup.ts";

const NO_KEY = -2;
const NO_EXPIRY = -1;

/** When the key of argument 1 expires; seconds are rounded to the nearest, a half up. */
export function replyExpiry(context: KeyContext, form: ExpiryForm): void {
  const { keyspace, nowMs, reply } = context;
  const ref = findKeyUntouched(context, 1);
  if (ref === 0) {
    reply.integer(NO_KEY);
    return;
  }
  const expireAtMs = keyspace.expireAtMs(ref);
  if (expireAtMs === 0) {
    reply.integer(NO_EXPIRY);
    return;
  }
  const timeMs = form.origin === "epoch" ? expireAtMs : Math.max(0, expireAtMs - nowMs);
  reply.integer(form.unit === "milliseconds" ? timeMs : Math.floor((timeMs + 500) / 1000));
}
