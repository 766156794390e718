/** When a key expires, from what a client wrote: seconds or milliseconds, from now or since 1970. */
import { INT64_MAX, INT64_MIN } from "./integer.ts";

/**
 * The latest expiry that is stored, in Unix ms: the last one a double holds exactly, in the year 287396. What lies
 * behind it (Redis takes 63 bits) is brought down to it.
 */
export const EXPIRY_MS_MAX: number = Number.MAX_SAFE_INTEGER;

/** Not a time Redis takes. */
export const INVALID_EXPIRY = -1;

export interface ExpiryForm {
  readonly unit: "seconds" | "milliseconds";
  readonly origin: "now" | "epoch";
}

/**
 * The expiry in Unix ms for SET, GETEX and their kin, which take positive times only; INVALID_EXPIRY for others and
 * for those beyond 63 bits of milliseconds.
 */
export function positiveExpiry(value: number | bigint, form: ExpiryForm, nowMs: number): number {
  if (value <= 0) return INVALID_EXPIRY;
  const factor = form.unit === "seconds" ? 1000 : 1;
  const base = form.origin === "now" ? nowMs : 0;
  if (typeof value === "number") {
    const expireAtMs = value * factor + base;
    if (expireAtMs <= EXPIRY_MS_MAX) return expireAtMs;
  }
  const exact = BigInt(value) * BigInt(factor) + BigInt(base);
  if (exact > INT64_MAX) return INVALID_EXPIRY;
  return EXPIRY_MS_MAX;
}

/**
 * The expiry in Unix ms for EXPIRE and its kin, which also take times that have passed; null
 * when seconds do not fit into 63 bits of milliseconds or the sum does not.
 */
export function anyExpiry(value: number | bigint, form: ExpiryForm, nowMs: number): number | null {
  const factor = form.unit === "seconds" ? 1000n : 1n;
  const base = form.origin === "now" ? nowMs : 0;
  if (typeof value === "number") {
    const expireAtMs = value * Number(factor) + base;
    if (Math.abs(expireAtMs) <= EXPIRY_MS_MAX) return expireAtMs;
  }
  const scaled = BigInt(value) * factor;
  if (scaled > INT64_MAX || scaled < INT64_MIN || scaled + BigInt(base) > INT64_MAX) return null;
  return scaled > 0n ? EXPIRY_MS_MAX : -EXPIRY_MS_MAX;
}
