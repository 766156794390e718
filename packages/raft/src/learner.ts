/**
 * What makes a learner different (thesis, section 4.2.1): it receives the log like a follower, but no configuration
 * that may still matter counts it, so it never campaigns.
 *
 * It does answer vote requests. Its configuration may lag behind: the cluster can have made it a voter without it
 * having heard, and may then need exactly its vote. A candidate counts only voters of its own configuration, so that
 * the vote of a node that is a learner there changes nothing.
 */
import { isVoter } from "./quorum.ts";
import type { RaftState } from "./state.ts";
import type { Role } from "./types.ts";

/** How a node that follows calls itself. */
export function followingRole(state: RaftState): Role {
  return mayCampaign(state) ? "follower" : "learner";
}

/**
 * May this node ask for votes? As a voter of the configuration in force; and as one that is leaving as long as its
 * leaving is not known to be committed (thesis, section 4.2.2): it may hold the longest log, which the remaining
 * voters need and none of them could be elected without.
 */
export function mayCampaign(state: RaftState): boolean {
  const { configurations, commitIndex, configuration, id } = state;
  return (
    isVoter(configuration, id) ||
    (configurations.currentIndex() > commitIndex && isVoter(configurations.at(commitIndex), id))
  );
}
