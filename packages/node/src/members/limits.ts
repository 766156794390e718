/** What membership is bounded by. Times are logical time, as the entries in the log bear it, in ms. */

/** More members than one Raft group can work with: joining ones count. */
export const MEMBERS_MAX = 64;
/** Disks that were removed and are remembered. The oldest is forgotten beyond it. */
export const REMOVED_MEMBERS_MAX = 256;
/** Nodes that ask to join at the same time. */
export const JOINERS_MAX = 16;
/** A node that asked and was not heard of again makes room for another after this. */
export const JOINER_KEPT_MS = 60_000;
export const ALARMS_MAX = 64;
/** A change for which nobody comes to join is cancelled. */
export const WAIT_FOR_JOINER_MS = 3_600_000;
/** A change whose node joined and is out of the leader's reach for this long is cancelled. */
export const ABSENT_JOINER_MS = 600_000;
/** A learner is promoted at an operator's word when it lacks no more entries than this. */
export const PROMOTE_LAG_ENTRIES_MAX = 1000;
/** How often a leader that is to leave tries to hand over before it leaves as the leader. */
export const TRANSFER_ATTEMPTS_MAX = 3;

export const NAME_LENGTH_MAX = 253;
export const ADDRESS_LENGTH_MAX = 300;
export const VERSION_LENGTH_MAX = 64;
export const REASON_LENGTH_MAX = 500;
export const ALARM_KIND_LENGTH_MAX = 32;

export const PRIORITY_MAX = 100;
export const PRIORITY_DEFAULT = 50;
