/**
 * Majority and joint arithmetic (paper section 5, thesis section 4.3). Pure functions of a configuration and of what
 * is known per voter. A joint configuration needs both halves; a configuration without voters decides nothing.
 */
import type { Configuration, Index, NodeId } from "./types.ts";

/** How an election stands. */
export type VoteOutcome = "won" | "lost" | "pending";

/** Voters that make a majority of `count`. */
export function majorityOf(count: number): number {
  return Math.floor(count / 2) + 1;
}

/** The largest value that a majority of `voters` has reached; 0 without voters. */
export function majorityIndex(
  voters: readonly NodeId[],
  reachedBy: (voter: NodeId) => Index,
): Index {
  const sorted: Index[] = [];
  // Insertion sort, largest first: there are at most a handful of voters and this runs on every acknowledgement.
  for (const voter of voters) {
    const reached = reachedBy(voter);
    let place = sorted.length;
    while (place > 0 && (sorted[place - 1] ?? 0) < reached) {
      sorted[place] = sorted[place - 1] ?? 0;
      place -= 1;
    }
    sorted[place] = reached;
  }
  return sorted[majorityOf(voters.length) - 1] ?? 0;
}

/** The largest value that the configuration as a whole has reached: what may be committed, or counts as confirmed. */
export function quorumIndex(
  configuration: Configuration,
  reachedBy: (voter: NodeId) => Index,
): Index {
  const incoming = majorityIndex(configuration.voters, reachedBy);
  if (configuration.votersOutgoing.length === 0) {
    return incoming;
  }
  return Math.min(incoming, majorityIndex(configuration.votersOutgoing, reachedBy));
}

/** Do those for whom `holds` is true make a quorum? */
export function isQuorum(configuration: Configuration, holds: (voter: NodeId) => boolean): boolean {
  return quorumIndex(configuration, (voter) => (holds(voter) ? 1 : 0)) === 1;
}

/** `votes` has true for granted and false for refused; who is not in it has not answered. */
export function voteOutcome(
  configuration: Configuration,
  votes: ReadonlyMap<NodeId, boolean>,
): VoteOutcome {
  if (isQuorum(configuration, (voter) => votes.get(voter) === true)) {
    return "won";
  }
  // Still winnable when everyone who is silent would say yes.
  return isQuorum(configuration, (voter) => votes.get(voter) !== false) ? "pending" : "lost";
}

/** Is `id` a voter of either half? */
export function isVoter(configuration: Configuration, id: NodeId): boolean {
  return configuration.voters.includes(id) || configuration.votersOutgoing.includes(id);
}

/** Every voter of either half, once each. */
export function allVoters(configuration: Configuration): readonly NodeId[] {
  if (configuration.votersOutgoing.length === 0) {
    return configuration.voters;
  }
  return [...new Set([...configuration.voters, ...configuration.votersOutgoing])];
}

/** Everyone the leader replicates to: voters of both halves and learners, once each. */
export function allMembers(configuration: Configuration): readonly NodeId[] {
  return [
    ...new Set([
      ...configuration.voters,
      ...configuration.votersOutgoing,
      ...configuration.learners,
      ...configuration.learnersNext,
    ]),
  ];
}
