/** Who is a member: forming, joining, leaving, and what a change of it must not do. */
import { inScenario, type Mutation } from "../mutation.ts";

const BOOTSTRAP = "packages/node/src/peers/bootstrap.ts";
const MACHINE = "packages/node/src/replica/state-machine.ts";
const SEATS = "packages/node/src/members/seats.ts";
const TABLE = "packages/node/src/members/members-table.ts";
const WANTED = "packages/node/src/members/wanted-configuration.ts";

export const members: readonly Mutation[] = [
  {
    id: "R11",
    bugs: ["R11"],
    title: "Who becomes a voter stays a learner beside it",
    source: "https://github.com/RedisLabs/redisraft/issues/48",
    patches: [
      {
        file: WANTED,
        find: "  const learners = current.learners.filter((id) => id !== target && id !== change.replaces);",
        replace: "  const learners = current.learners.filter((id) => id !== change.replaces);",
      },
    ],
    hunts: [inScenario("a-member-joins")],
  },
  {
    id: "R15",
    bugs: ["R15"],
    title: "Who asked to join before there was a cluster is not told of it later",
    source: "https://github.com/RedisLabs/redisraft/issues/187",
    patches: [
      {
        file: BOOTSTRAP,
        find: "    this.#reports.set(name, report);",
        replace: "    if (before === undefined) this.#reports.set(name, report);",
      },
    ],
    hunts: [inScenario("bootstraps")],
  },
  {
    id: "R30",
    bugs: ["R30"],
    title: "A member's promotion is in the configuration and not in the table of members",
    source: "https://github.com/etcd-io/etcd/issues/19557",
    patches: [
      {
        file: TABLE,
        find: "    const isDone = change !== null && isFulfilled(change, now);",
        replace:
          "    const isDone = change !== null && isFulfilled(change, now) && before === now;",
      },
    ],
    hunts: [inScenario("a-member-joins")],
  },
  {
    id: "R31",
    bugs: ["R31"],
    title: "Who was to stay a learner becomes a voter",
    source: "https://github.com/etcd-io/etcd/issues/21694",
    patches: [
      { file: WANTED, find: "      return !change.asLearner;", replace: "      return true;" },
      {
        file: WANTED,
        find: "configuration.voters.includes(target) || (asLearner && named.has(target));",
        replace: "configuration.voters.includes(target) || (asLearner && named.size === 0);",
      },
    ],
    hunts: [inScenario("a-learner-stays-one")],
  },
  {
    id: "R31-again",
    bugs: ["R31"],
    title: "A removed disk is taken in again when its name is",
    source: "https://github.com/etcd-io/etcd/issues/20340",
    patches: [
      {
        file: SEATS,
        find: "    return this.#removed.has(id);",
        replace: '    return this.#removed.has(id) && id === "";',
      },
    ],
    hunts: [inScenario("a-removed-disk-stays-out")],
  },
  {
    id: "R45",
    bugs: ["R45"],
    title: "An empty disk that starts first makes a cluster with whom it hears",
    source: "https://github.com/nats-io/nats-server/issues/2792",
    patches: [
      {
        file: BOOTSTRAP,
        find: "    if (missing.length > 0) {",
        replace: "    if (missing.length > 1) {",
      },
    ],
    hunts: [inScenario("bootstraps")],
  },
  {
    id: "C29",
    bugs: ["R30"],
    title: "Members are not part of what a snapshot restores",
    source: "https://github.com/etcd-io/etcd/issues/20793",
    patches: [
      {
        file: MACHINE,
        find: '    readable("members", () => this.members.restore(header.members));\n',
        replace: "",
      },
    ],
    hunts: [inScenario("two-snapshots")],
  },
];
