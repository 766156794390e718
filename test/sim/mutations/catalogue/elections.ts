/** Who leads: terms, votes, and the peace of a healthy cluster. */
import { inFaults, inScenario, type Mutation } from "../mutation.ts";

const FOLLOWER = "packages/raft/src/follower.ts";
const LEADER = "packages/raft/src/leader.ts";
const LOG = "packages/raft/src/log.ts";
const OFFICE = "packages/raft/src/office.ts";
const QUORUM = "packages/raft/src/quorum.ts";
const STATE = "packages/raft/src/state.ts";
const VOTING = "packages/raft/src/voting.ts";

export const elections: readonly Mutation[] = [
  {
    id: "R05",
    bugs: ["R05"],
    title: "A follower that lost sight of its leader never learns again who leads",
    source: "https://github.com/RedisLabs/redisraft/issues/21",
    patches: [{ file: FOLLOWER, find: "      state.leader = leader;\n", replace: "" }],
    hunts: [inFaults(10)],
  },
  {
    id: "R07",
    bugs: ["R07"],
    title: "Half of the voters are taken for a majority: split brain",
    source: "https://github.com/RedisLabs/redisraft/issues/28",
    patches: [
      {
        file: QUORUM,
        find: "return Math.floor(count / 2) + 1;",
        replace: "return Math.max(1, Math.floor(count / 2));",
      },
    ],
    hunts: [inFaults(10)],
  },
  {
    id: "R34-vote",
    bugs: ["R34"],
    title: "No pre-vote: a node that hears nobody raises the term of all",
    source: "https://blog.cloudflare.com/a-byzantine-failure-in-the-real-world/",
    patches: [
      {
        file: OFFICE,
        find: "  campaign(kind: CampaignKind): void {\n",
        replace:
          '  campaign(kind: CampaignKind): void {\n    if (kind === "preVote") kind = "election";\n',
      },
    ],
    hunts: [inScenario("lone-follower")],
  },
  {
    id: "R34-stick",
    bugs: ["R34"],
    title: "Followers leave a live leader for whoever asks",
    source: "https://blog.cloudflare.com/a-byzantine-failure-in-the-real-world/",
    patches: [
      { file: VOTING, find: "  if (request.transfer) {", replace: "  if (request.term > 0) {" },
    ],
    hunts: [inScenario("broken-link")],
  },
  {
    id: "R40",
    bugs: ["R40"],
    title: "The vote is not written to disk: kill -9 forgets it",
    source: "https://github.com/nats-io/nats-server/issues/6888",
    patches: [
      {
        file: STATE,
        find: "this.#hardStateTold = { term: this.#term, vote: this.#vote, commit };\n    return this.#hardStateTold;",
        replace:
          "this.#hardStateTold = { term: this.#term, vote: this.#vote, commit };\n    return { ...this.#hardStateTold, vote: null };",
      },
    ],
    hunts: [inScenario("two-candidates")],
  },
  {
    id: "R40-term",
    bugs: ["R40"],
    title: "The term is not written to disk before entries come",
    source: "https://github.com/nats-io/nats-server/issues/6888",
    patches: [
      {
        file: STATE,
        find: "    if (!this.mustWriteHardState() && !commitMoved) {",
        replace: "    if (!withEntries) {",
      },
      {
        file: STATE,
        find: "    return this.#term !== this.#hardStateTold.term || this.#vote !== this.#hardStateTold.vote;",
        replace: "    return false;",
      },
    ],
    hunts: [inScenario("two-candidates")],
  },
  {
    id: "R44",
    bugs: ["R44"],
    title: "A vote leaves before it is on disk: a power failure takes it back",
    source: "https://github.com/nats-io/nats-server/issues/7567",
    patches: [
      {
        file: VOTING,
        find: "  state.outbox.sendAfterPersist(response);",
        replace: "  state.outbox.send(response);",
      },
    ],
    // The power has to go before either of its two places has the vote.
    hunts: [inScenario("two-candidates", 60)],
  },
  {
    id: "R44-twice",
    bugs: ["R44"],
    title: "A node votes for everyone who asks in a term",
    source: "Raft paper, 5.2",
    patches: [
      {
        file: VOTING,
        find: "const free = state.vote === null && ",
        replace: "const free = ",
      },
      {
        file: STATE,
        find: "      this.#vote === null || this.#vote === candidate,",
        replace: "      this.#term > 0 || this.#vote === candidate,",
      },
    ],
    hunts: [inScenario("two-candidates")],
  },
  {
    id: "R55",
    bugs: ["R55", "R34"],
    title: "A leader that hears nobody goes on as leader",
    source: "https://github.com/jgroups-extras/jgroups-raft/issues/79",
    patches: [
      { file: LEADER, find: "    if (!this.#hearsQuorum()) {", replace: "    if (false) {" },
    ],
    hunts: [inScenario("isolated-leader")],
  },
  {
    id: "C02",
    bugs: [],
    title: "Logs are compared by length, not by the term of their end",
    source: "Raft paper, 5.4.1",
    patches: [
      {
        file: LOG,
        find: "    return isAtLeast({ index: lastIndex, term: lastTerm }, own);",
        replace: "    return lastTerm >= 0 && lastIndex >= own.index;",
      },
    ],
    hunts: [inScenario("long-old-log")],
  },
  {
    id: "C03",
    bugs: [],
    title: "A candidate counts votes that were given to it in an earlier term",
    source: "Raft paper, 5.1",
    patches: [
      {
        file: OFFICE,
        find: "    if (message.term < this.#state.term) {\n      this.#outdated(message);",
        replace:
          '    if (message.term < this.#state.term && message.kind !== "voteResponse") {\n      this.#outdated(message);',
      },
    ],
    hunts: [inScenario("late-votes")],
  },
];
