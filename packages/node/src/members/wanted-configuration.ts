/** The configuration that a change is about, and the way there. */
import { enterJoint, isJoint, type Configuration, type NodeId } from "@ferrite/raft";
import { isVoterIn, namedIn } from "./configuration-roles.ts";
import type { MemberChange } from "./member-record.ts";

/** `current` with the node as a learner. */
export function withLearner(current: Configuration, id: NodeId): Configuration {
  return { ...current, learners: [...current.learners, id] };
}

/** `current` without a learner that is not to stay. */
export function withoutLearner(current: Configuration, id: NodeId): Configuration {
  return { ...current, learners: current.learners.filter((learner) => learner !== id) };
}

/** What a change makes of `current`, which is not joint. The change has a target. */
export function wantedConfiguration(change: MemberChange, current: Configuration): Configuration {
  const target = change.target!;
  const voters = current.voters.filter((id) => id !== target && id !== change.replaces);
  const learners = current.learners.filter((id) => id !== target && id !== change.replaces);
  if (becomesVoter(change, current)) voters.push(target);
  else if (change.kind !== "remove") learners.push(target);
  return { voters, votersOutgoing: [], learners, learnersNext: [] };
}

/** Who takes the place of a learner is one, too. */
export function becomesVoter(change: MemberChange, current: Configuration): boolean {
  switch (change.kind) {
    case "add":
      return !change.asLearner;
    case "replace":
      return change.replaces !== null && isVoterIn(current, change.replaces);
    default:
      return change.kind === "promote";
  }
}

/**
 * The next configuration on the way from `current` to `target`. Voters change by joint consensus also where only one does:
 * a leader that is cut off then needs a majority of the old voters to bring it about (R03).
 */
export function stepTowards(current: Configuration, target: Configuration): Configuration {
  const isSame =
    current.voters.length === target.voters.length &&
    current.voters.every((id) => target.voters.includes(id));
  return isSame ? { ...target, voters: current.voters } : enterJoint(current, target);
}

/** Does this configuration say what the change was to bring about? Never while it is joint. */
export function isFulfilled(change: MemberChange, configuration: Configuration): boolean {
  const { kind, target, replaces, asLearner } = change;
  if (target === null || isJoint(configuration)) return false;
  const named = namedIn(configuration);
  switch (kind) {
    case "add":
      return configuration.voters.includes(target) || (asLearner && named.has(target));
    case "replace":
      return named.has(target) && replaces !== null && !named.has(replaces);
    case "remove":
      return !named.has(target);
    case "promote":
      return configuration.voters.includes(target);
    default:
      return configuration.learners.includes(target);
  }
}
