/** What a configuration says of one member. */
import type { Configuration, NodeId } from "@ferrite/raft";

/** Everyone it names, in any office. */
export function namedIn(configuration: Configuration): Set<NodeId> {
  const { voters, votersOutgoing, learners, learnersNext } = configuration;
  return new Set([...voters, ...votersOutgoing, ...learners, ...learnersNext]);
}

/** A vote of its counts, in either half. */
export function isVoterIn(configuration: Configuration, id: NodeId): boolean {
  return configuration.voters.includes(id) || configuration.votersOutgoing.includes(id);
}

export function isLearnerIn(configuration: Configuration, id: NodeId): boolean {
  return configuration.learners.includes(id) || configuration.learnersNext.includes(id);
}
