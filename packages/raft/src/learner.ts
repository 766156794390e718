/**
 * What makes a learner different (thesis, section 4.2.1): it receives the log like a follower, but its own
 * configuration does not count it, so it never campaigns.
 *
 * It does answer vote requests. Its configuration may lag behind: the cluster can have made it a voter without it
 * having heard, and may then need exactly its vote. A candidate counts only voters of its own configuration, so that
 * the vote of a node that is a learner there changes nothing.
 */
import type { RaftState } from "./state.ts";
import type { Role } from "./types.ts";

/** How a node that follows calls itself. */
export function followingRole(state: RaftState): Role {
  return state.isVoter() ? "follower" : "learner";
}

/** Only a voter of the configuration in force may ask for votes. */
export function mayCampaign(state: RaftState): boolean {
  return state.isVoter();
}
