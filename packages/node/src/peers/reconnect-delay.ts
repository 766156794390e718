/** How long to wait before dialing again. */
import type { PeerLimits } from "./limits.ts";

/**
 * Doubles with every failure in a row (at least 1) up to the limit. The lower half is fixed and the upper half is
 * chance, so that nodes that lost a peer together do not come back together.
 * @param chance in [0, 1)
 */
export function reconnectDelayMs(
  failures: number,
  limits: Pick<PeerLimits, "reconnectDelayMinMs" | "reconnectDelayMaxMs">,
  chance: number,
): number {
  // 2^30 times anything is beyond the limit already; more would overflow to Infinity in time.
  const doublings = Math.min(failures - 1, 30);
  const delayMs = Math.min(limits.reconnectDelayMinMs * 2 ** doublings, limits.reconnectDelayMaxMs);
  return (delayMs * (1 + chance)) / 2;
}
