/** How long a certificate is still good, for INFO and FERRITE.STATUS. */

const DAY_MS = 86_400_000;

/** Whole days, rounded down; negative after the end. Both times in Unix ms. */
export function certificateDaysLeft(untilMs: number, nowMs: number): number {
  return Math.floor((untilMs - nowMs) / DAY_MS);
}
