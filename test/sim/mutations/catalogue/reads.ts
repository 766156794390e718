/** Reads: what they may be answered from, and when. */
import { inFaults, inScenario, type Mutation } from "../mutation.ts";

const LEADER = "packages/raft/src/leader.ts";
const READS = "packages/node/src/replica/reads.ts";
const REPLICA = "packages/node/src/replica/replica.ts";
const SERVICE = "packages/node/src/replica/service-state.ts";

export const reads: readonly Mutation[] = [
  {
    id: "R04",
    bugs: ["R04"],
    title: "A new leader confirms reads before an entry of its own term is committed",
    source: "https://github.com/RedisLabs/redisraft/pull/22",
    patches: [
      {
        file: LEADER,
        find: "return this.#reads.canBegin() && this.#hasCommittedInTerm();",
        replace: "return this.#reads.canBegin();",
      },
    ],
    hunts: [inScenario("unsure-leader")],
  },
  {
    id: "R04-noop",
    bugs: ["R04"],
    title: "A new leader appends nothing of its own: what is there stays uncommitted",
    source: "https://github.com/RedisLabs/redisraft/pull/22",
    patches: [
      {
        file: LEADER,
        find: "    this.#append(NO_DATA, EntryKind.NoOp);",
        replace: "    this.replicator.logGrew();",
      },
    ],
    hunts: [inScenario("quiet-restart")],
  },
  {
    id: "R20",
    bugs: ["R20"],
    title: "A leader answers reads from its own state without asking anybody",
    source: "https://github.com/etcd-io/etcd/issues/741",
    patches: [
      {
        file: LEADER,
        find: "    this.#reads.begin(this.#state.commitIndex);\n    this.#confirmReads();",
        replace:
          "    this.#reads.begin(this.#state.commitIndex);\n    this.#reads.confirm(Infinity, (request, index) => this.#answerRead(request, index));",
      },
    ],
    hunts: [inScenario("deposed-leader")],
  },
  {
    id: "R21",
    bugs: ["R21"],
    title: "Reads are answered while the log is replayed after a start",
    source: "https://github.com/etcd-io/etcd/issues/3879",
    patches: [{ file: SERVICE, find: "  isCaughtUp = false;", replace: "  isCaughtUp = true;" }],
    hunts: [inFaults(30)],
  },
  {
    id: "R29",
    bugs: ["R29"],
    title: "Reads that wait when leadership is lost are answered as if it were not",
    source: "https://github.com/etcd-io/etcd/issues/20418",
    patches: [
      {
        file: LEADER,
        find: "      this.#answerRead(request, 0);",
        replace: "      this.#answerRead(request, this.#state.commitIndex);",
      },
    ],
    hunts: [inScenario("deposed-leader")],
  },
  {
    id: "R54",
    bugs: ["R54"],
    title: "A read is served when one follower has answered, or none yet",
    source: "https://github.com/deventlab/d-engine/issues/381",
    patches: [
      {
        file: LEADER,
        find: "      voter === id ? Infinity : (this.replicator.get(voter)?.readRoundConfirmed ?? 0),",
        replace:
          '      voter === id ? Infinity : this.replicator.get(voter)?.state === "replicate" ? this.#reads.lastRound : 0,',
      },
    ],
    hunts: [inScenario("deposed-leader")],
  },
  {
    id: "C18",
    bugs: [],
    title: "A confirmed read is served before the state has come so far",
    source: "Thesis, 6.4, step 4",
    patches: [
      {
        file: READS,
        find: "      if (round.index === 0 || round.index > appliedIndex) {",
        replace: "      if (round.index === 0 || round.index > appliedIndex + 1_000_000) {",
      },
    ],
    hunts: [inScenario("follower-behind")],
  },
  {
    id: "C24",
    bugs: [],
    title:
      "Read requests are numbered from 1 at every start: an old confirmation counts for a new one",
    source: "Thesis, 6.4; found here by review",
    patches: [
      {
        file: REPLICA,
        find: "    const firstRequestId = 1 + Math.floor(ports.random() * REQUEST_ID_START_MAX);",
        replace:
          "    const firstRequestId = 1 + Math.floor(ports.random() * REQUEST_ID_START_MAX) * 0;",
      },
    ],
    hunts: [inScenario("answer-to-the-dead")],
  },
];
