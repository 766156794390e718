/** Refusals of peers on their way into the trail, which can only be opened when the node knows its cluster. */
import type { AuditTrail } from "../audit/audit-trail.ts";
import { peerRefused } from "../audit/peer-events.ts";
import type { PeerRefusal } from "../peers/connection-refusal.ts";

/** Refusals that wait for the trail; forming a cluster may take as long as the other nodes take to come up. */
const HELD_MAX = 256;

export class HeldRefusals {
  #trail: Pick<AuditTrail, "record"> | null = null;
  #held: PeerRefusal[] = [];
  /** Those beyond the limit; the newest are kept. */
  #dropped = 0;

  take(refusal: PeerRefusal): void {
    if (this.#trail !== null) {
      this.#trail.record(peerRefused(refusal));
      return;
    }
    this.#held.push(refusal);
    if (this.#held.length > HELD_MAX) {
      this.#held.shift();
      this.#dropped++;
    }
  }

  /** Everything from before, and whatever comes, goes into the trail from now on. */
  attach(trail: Pick<AuditTrail, "record">): void {
    this.#trail = trail;
    const [first, ...rest] = this.#held;
    this.#held = [];
    if (first === undefined) return;
    trail.record(peerRefused({ ...first, suppressed: first.suppressed + this.#dropped }));
    for (const refusal of rest) trail.record(peerRefused(refusal));
  }
}
