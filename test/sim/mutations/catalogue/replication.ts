/** The log and what of it is committed: appends, their answers, the rule of counting. */
import { inFaults, inScenario, type Mutation } from "../mutation.ts";

const ACCEPTOR = "packages/raft/src/log-acceptor.ts";
const COMMIT_RULE = "packages/raft/src/commit-rule.ts";
const DURABILITY = "packages/raft/src/durability.ts";
const LEADER = "packages/raft/src/leader.ts";
const OFFICE = "packages/raft/src/office.ts";
const OUTBOX = "packages/raft/src/outbox.ts";
const REPLICATOR = "packages/raft/src/replicator.ts";
const STATE = "packages/raft/src/state.ts";
const TRANSFER = "packages/raft/src/leadership-transfer.ts";

export const replication: readonly Mutation[] = [
  {
    id: "R08",
    bugs: ["R08"],
    title: "What was committed before a restart of all is taken for applied",
    source: "https://github.com/RedisLabs/redisraft/issues/30",
    patches: [
      {
        file: STATE,
        find: "    this.#toldIndex = snapshot.index;\n    this.#appliedIndex = snapshot.index;",
        replace:
          "    this.#toldIndex = this.#commitIndex;\n    this.#appliedIndex = this.#commitIndex;",
      },
    ],
    hunts: [inFaults(10)],
  },
  {
    id: "R13",
    bugs: ["R13"],
    title: "An append is taken without looking at the entry before it",
    source: "https://github.com/RedisLabs/redisraft/issues/53",
    patches: [
      {
        file: ACCEPTOR,
        find: "  if (!state.log.matches(request.previousIndex, request.previousTerm)) {",
        replace: "  if (state.log.termAt(request.previousIndex) === null) {",
      },
    ],
    hunts: [inScenario("long-tail")],
  },
  {
    id: "R13-keep",
    bugs: ["R13"],
    title: "An entry that conflicts with the leader's is kept",
    source: "Raft paper, figure 2, AppendEntries 3",
    patches: [
      {
        file: ACCEPTOR,
        find: "      if (state.log.matches(entry.index, entry.term)) {",
        replace: "      if (state.log.termAt(entry.index) !== null) {",
      },
    ],
    hunts: [inFaults(40)],
  },
  {
    id: "R41",
    bugs: ["R41", "R43"],
    title: "Appends are acknowledged before they are on disk",
    source: "https://github.com/nats-io/nats-server/issues/7545",
    patches: [
      {
        file: OUTBOX,
        find: "    const earlier = this.#messagesAfterPersist[this.#acknowledgementAt];\n",
        replace:
          "    if (response.matchIndex >= 0) return this.send(response);\n    const earlier = this.#messagesAfterPersist[this.#acknowledgementAt];\n",
      },
    ],
    hunts: [inFaults(40)],
  },
  {
    id: "R23",
    bugs: ["R23"],
    title: "A leader counts its own log before it is on disk",
    source: "https://github.com/etcd-io/etcd/issues/14370",
    patches: [
      {
        file: REPLICATOR,
        find: "      return this.#state.durability.durableIndex;",
        replace: "      return this.#state.log.lastIndex;",
      },
      {
        file: LEADER,
        find: "    this.replicator.logGrew();\n",
        replace: "    this.replicator.logGrew();\n    this.#advanceCommit();\n",
      },
    ],
    hunts: [inScenario("alone-without-power")],
  },
  {
    id: "R52",
    bugs: ["R52"],
    title: "A late append cuts entries that agree with it",
    source: "https://github.com/canonical/dqlite/issues/258",
    patches: [
      {
        file: ACCEPTOR,
        find: "      if (state.log.matches(entry.index, entry.term)) {\n        continue;\n      }\n",
        replace: "",
      },
    ],
    hunts: [inFaults(60)],
  },
  {
    id: "R51",
    bugs: ["R51"],
    title: "A transfer of leadership that can not succeed is never given up: writes wait for good",
    source: "https://github.com/hashicorp/raft/pull/581",
    patches: [
      {
        file: TRANSFER,
        find: "    if (this.#elapsedTicks >= this.#state.options.electionTimeoutTicks) {",
        replace: "    if (this.#elapsedTicks < 0) {",
      },
      {
        file: TRANSFER,
        find: "      this.sendTimeoutNow(peer);\n    }\n  }\n\n  sendTimeoutNow",
        replace: "      this.#elapsedTicks = 0;\n    }\n  }\n\n  sendTimeoutNow",
      },
    ],
    hunts: [inScenario("lost-transfer")],
  },
  {
    id: "C01",
    bugs: [],
    title: "A leader commits entries of earlier terms by counting their copies",
    source: "Raft paper, 5.4.2, figure 8",
    patches: [
      {
        file: COMMIT_RULE,
        find: "allows: (log, index, term) => log.matches(index, term),",
        replace: "allows: (log, index, term) => term > 0 && log.termAt(index) !== null,",
      },
    ],
    hunts: [inScenario("figure-8")],
  },
  {
    id: "C04",
    bugs: [],
    title: "The answer to an append of an earlier term moves what a follower is known to have",
    source: "Raft paper, 5.1; thesis, 3.8",
    patches: [
      {
        file: OFFICE,
        find: "    if (message.term < this.#state.term) {\n      this.#outdated(message);",
        replace:
          '    if (message.term < this.#state.term && message.kind !== "appendResponse") {\n      this.#outdated(message);',
      },
    ],
    hunts: [inScenario("late-acknowledgement")],
  },
  {
    id: "C05",
    bugs: [],
    title: "Acknowledged appends stay in the window: it fills up for good",
    source: "Flow control; etcd-raft's Inflights",
    patches: [
      { file: REPLICATOR, find: "    progress.inflights.freeTo(matchIndex);\n", replace: "" },
    ],
    hunts: [inFaults(20)],
  },
  {
    id: "C10",
    bugs: [],
    title: "What was cut from the log still counts as durable",
    source: "Raft paper, 5.3",
    patches: [
      {
        file: DURABILITY,
        find: "      batch.survivesTo = Math.min(batch.survivesTo, index - 1);",
        replace: "      batch.survivesTo = Math.max(batch.survivesTo, index - 1);",
      },
      {
        file: DURABILITY,
        find: "    this.#durableIndex = Math.min(this.#durableIndex, index - 1);",
        replace: "    this.#durableIndex = Math.max(this.#durableIndex, 0);",
      },
    ],
    hunts: [inScenario("counts-what-is-cut")],
  },
  {
    id: "C16",
    bugs: [],
    title: "A heartbeat names a commit index that the follower's log need not reach",
    source: "etcd-raft, bcastHeartbeat: min(match, committed)",
    patches: [
      {
        file: LEADER,
        find: "        commit: Math.min(commitIndex, progress.matchIndex),",
        replace: "        commit: commitIndex,",
      },
    ],
    hunts: [inFaults(20)],
  },
  {
    id: "C17",
    bugs: [],
    title: "A follower commits beyond what the append has shown to agree",
    source: "Raft paper, figure 2, AppendEntries 5",
    patches: [
      {
        file: ACCEPTOR,
        find: "  state.commitTo(Math.min(request.commit, lastSent));",
        replace: "  state.commitTo(Math.min(request.commit, state.log.lastIndex));",
      },
    ],
    hunts: [inScenario("tail-of-the-deposed")],
  },
];
