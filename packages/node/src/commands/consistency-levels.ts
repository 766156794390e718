/** What reads promise, and when they may be answered at once. */

/**
 * session: read your own writes, never go back on one connection. linearizable: nothing older than the moment of
 * the call. lease: the same, without asking the other nodes where the leader holds a lease. bounded: nothing older than so
 * many ms. local: whatever this node has, also without a leader.
 */
export type Consistency = "session" | "linearizable" | "lease" | "bounded" | "local";

export const CONSISTENCY_LEVELS: readonly Consistency[] = [
  "session",
  "linearizable",
  "lease",
  "bounded",
  "local",
];

/** Reads of these levels need a word of the leader, unless this node knows by itself that they may go. */
export function needsConfirmation(level: Consistency): boolean {
  return level !== "session" && level !== "local";
}

/** Shortest and longest bound, in ms: below it would be a linearizable read, above it may as well be local. */
export const READ_BOUND_MS_MIN = 1;
export const READ_BOUND_MS_MAX: number = 24 * 3_600_000;
