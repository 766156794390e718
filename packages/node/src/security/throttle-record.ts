/**
 * What is remembered of failures under one key, and what follows from it: attempts get slots, and each failure beyond
 * the free ones doubles the distance between them.
 *
 *   failures   1  2  3  4      5      6       ...
 *   attempts   x--x--x--x------x------------x-------------------------x
 *              free     100 ms  200 ms        400 ms
 */
export interface ThrottleRule {
  /** Failures without consequences: people mistype. */
  readonly freeFailures: number;
  /** Between two attempts after one failure more than that; doubles with each further one. */
  readonly baseDelayMs: number;
  readonly maxDelayMs: number;
  /** Attempts that may wait for their slot; more are refused. */
  readonly waitingMax: number;
  /** After this long without a failure one is forgotten... */
  readonly forgetOneAfterMs: number;
  /** ... and after this long all of them. */
  readonly forgetAllAfterMs: number;
}

export interface ThrottleRecord {
  failures: number;
  /** Attempts that are being checked or wait for it: each may turn out to be a failure. */
  inFlight: number;
  waiting: number;
  /** The earliest time of the next attempt. */
  nextSlotMs: number;
  /** Of the last failure, moved on when failures are forgotten. */
  failedAtMs: number;
}

export function newThrottleRecord(): ThrottleRecord {
  return { failures: 0, inFlight: 0, waiting: 0, nextSlotMs: 0, failedAtMs: 0 };
}

/** Time between two attempts after so many failures. */
export function delayAfter(failures: number, rule: ThrottleRule): number {
  const counted = failures - rule.freeFailures;
  if (counted <= 0) return 0;
  return Math.min(rule.baseDelayMs * 2 ** Math.min(counted - 1, 30), rule.maxDelayMs);
}

/** Forgets what is old. */
export function forget(record: ThrottleRecord, rule: ThrottleRule, nowMs: number): void {
  if (record.failures === 0) return;
  const silentMs = nowMs - record.failedAtMs;
  if (silentMs >= rule.forgetAllAfterMs) {
    record.failures = 0;
    return;
  }
  const forgotten = Math.min(Math.floor(silentMs / rule.forgetOneAfterMs), record.failures);
  record.failures -= forgotten;
  record.failedAtMs += forgotten * rule.forgetOneAfterMs;
}

/** When an attempt that comes now may be checked: now, later, or (null) not at all. */
export function nextSlot(record: ThrottleRecord, rule: ThrottleRule, nowMs: number): number | null {
  const slotMs = Math.max(record.nextSlotMs, nowMs);
  return slotMs > nowMs && record.waiting >= rule.waitingMax ? null : slotMs;
}

export function countFailure(record: ThrottleRecord, rule: ThrottleRule, nowMs: number): void {
  // More than it takes to reach the longest delay is not counted, or a long attack would be remembered for days.
  const doublings = Math.ceil(Math.log2(rule.maxDelayMs / rule.baseDelayMs));
  const failuresMax = rule.freeFailures + Math.max(doublings, 0) + 1;
  record.failures = Math.min(record.failures + 1, failuresMax);
  record.failedAtMs = nowMs;
  record.nextSlotMs = Math.max(record.nextSlotMs, nowMs + delayAfter(record.failures, rule));
}
