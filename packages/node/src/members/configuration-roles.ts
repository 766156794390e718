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

/** No other node has to agree to anything. */
export function isAloneIn(configuration: Configuration, id: NodeId): boolean {
  const { voters, votersOutgoing } = configuration;
  return votersOutgoing.length === 0 && voters.length === 1 && voters[0] === id;
}

export function isLearnerIn(configuration: Configuration, id: NodeId): boolean {
  return configuration.learners.includes(id) || configuration.learnersNext.includes(id);
}
