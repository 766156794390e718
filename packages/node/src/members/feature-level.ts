/**
 * What the members of a cluster may write into the log (O13). A later version that adds a kind of entry, or changes what a
 * command means inside apply, adds a level. An entry of a level stands in the log only behind the entry that raised the
 * cluster to it, and that one is proposed when every member has said that it supports the level.
 *
 *   0  entries of the first version: commands, expiry, users, anchors
 *   1  members, their changes, alarms and checks of the state
 */

/** The highest level this version understands. */
export const FEATURE_LEVEL_MAX = 1;

/** Members are part of the replicated state from this level on. */
export const MEMBER_WRITES_LEVEL = 1;

/** The lowest level of a cluster that this version can still be a member of. */
export const FEATURE_LEVEL_MIN = 0;
