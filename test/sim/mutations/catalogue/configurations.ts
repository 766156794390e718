/** Who counts, and when that changes. */
import { inScenario, type Mutation } from "../mutation.ts";

const LEADER = "packages/raft/src/leader.ts";
const LEARNER = "packages/raft/src/learner.ts";
const QUORUM = "packages/raft/src/quorum.ts";
const STATE = "packages/raft/src/state.ts";

export const configurations: readonly Mutation[] = [
  {
    id: "R03",
    bugs: ["R03"],
    title: "A leader counts a change of the members as committed when it has it",
    source: "https://github.com/RedisLabs/redisraft/issues/17",
    patches: [
      {
        file: LEADER,
        find: "    this.#append(data, kind);\n    return { accepted: true, index: log.lastIndex, term };",
        replace:
          "    this.#append(data, kind);\n    if (kind === EntryKind.Configuration) this.#state.commitTo(log.lastIndex);\n    return { accepted: true, index: log.lastIndex, term };",
      },
    ],
    hunts: [inScenario("lonely-removal")],
  },
  {
    id: "R17",
    bugs: ["R17"],
    title: "A message of a node that is in no configuration stops the leader",
    source: "https://github.com/RedisLabs/redisraft/issues/643",
    patches: [
      {
        file: LEADER,
        find: "    if (progress === undefined) {\n      return;\n    }\n    this.replicator.heard(progress);",
        replace:
          '    invariant(progress !== undefined, "progressMissing", "a node that is not known");\n    this.replicator.heard(progress);',
      },
    ],
    hunts: [inScenario("strangers")],
  },
  {
    id: "R51-learner",
    bugs: ["R51"],
    title: "A learner campaigns",
    source: "https://github.com/hashicorp/raft/issues/398",
    patches: [
      {
        file: LEARNER,
        find: "    isVoter(configuration, id) ||\n",
        replace: "    isVoter(configuration, id) ||\n    configuration.learners.includes(id) ||\n",
      },
    ],
    hunts: [inScenario("quiet-learner")],
  },
  {
    id: "C11",
    bugs: [],
    title: "Both halves of a joint configuration are counted as one",
    source: "Raft paper, section 6",
    patches: [
      {
        file: QUORUM,
        find: "  const incoming = majorityIndex(configuration.voters, reachedBy);\n",
        replace: "  const incoming = majorityIndex(allVoters(configuration), reachedBy);\n",
      },
      {
        file: QUORUM,
        find: "  return Math.min(incoming, majorityIndex(configuration.votersOutgoing, reachedBy));",
        replace: "  return incoming;",
      },
    ],
    hunts: [inScenario("half-of-joint")],
  },
  {
    id: "C12",
    bugs: [],
    title: "Learners count for a commit",
    source: "Thesis, 4.2.1",
    patches: [
      {
        file: LEADER,
        find: "    const agreed = quorumIndex(configuration, (voter) => this.replicator.matchOf(voter));\n",
        replace:
          "    const all = { ...configuration, voters: [...configuration.voters, ...configuration.learners] };\n    const agreed = quorumIndex(all, (voter) => this.replicator.matchOf(voter));\n",
      },
    ],
    hunts: [inScenario("learners-do-not-count")],
  },
  {
    id: "C13",
    bugs: [],
    title: "A configuration stays in force when the log is cut before it",
    source: "https://github.com/canonical/raft/issues/323",
    patches: [{ file: STATE, find: "    this.configurations.cutFrom(index);\n", replace: "" }],
    hunts: [inScenario("taken-back")],
  },
  {
    id: "C19",
    bugs: [],
    title: "A change of the members begins before an entry of the leader's term is committed",
    source: "https://roastidio.us/topic/10998507",
    patches: [
      {
        file: LEADER,
        find: "      isJoint(configuration) ||\n      !this.#hasCommittedInTerm()\n",
        replace: "      isJoint(configuration)\n",
      },
    ],
    hunts: [inScenario("two-changes-in-two-terms")],
  },
];
