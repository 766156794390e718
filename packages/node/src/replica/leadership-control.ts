/** What operators may ask about who leads; commands see this and no more. */
import type { NodeId } from "@ferrite/raft";

/**
 * transfer: leadership to `target`, or to the voter that is furthest (null); writes are held meanwhile, not failed.
 * stepDown: the leader gives up its office at once. cancel: a transfer that is under way is given up.
 */
export type LeadershipWish =
  | { readonly kind: "transfer"; readonly target: NodeId | null }
  | { readonly kind: "stepDown" }
  | { readonly kind: "cancel" };

/** What the leader says to it. */
export type LeadershipAnswer =
  | "accepted"
  /** The node that was asked does not lead. */
  | "notLeader"
  /** No other voter, or not this one, can take over now. */
  | "nobody"
  /** Leadership is being handed over already. */
  | "underWay"
  /** There is nothing to cancel. */
  | "nothing";

/** timeout: nobody answered in time; stays: it was accepted, and the leader is still the same. */
export type LeadershipOutcome = LeadershipAnswer | "timeout" | "stays";

export interface LeadershipControl {
  /**
   * Asks whoever leads. `done` is called once: with the leader's refusal; or when it has accepted; or, until "moved", when
   * another node leads ("accepted") or the time is up. A transfer is tried again and again until its time is up.
   */
  ask(
    wish: LeadershipWish,
    options: { readonly until: "accepted" | "moved"; readonly timeoutMs: number },
    done: (outcome: LeadershipOutcome) => void,
  ): void;
  /** Is this node handing leadership over? */
  isHandingOver(): boolean;
}
