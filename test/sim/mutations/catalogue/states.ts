/** Nodes compare their states at one log position: who counts, who is right, and what becomes of who is wrong (R32). */
import { inScenario, type Mutation } from "../mutation.ts";

const CHECKS = "packages/node/src/repair/state-checks.ts";
const PORTS = "packages/node/src/repair/replica-checks.ts";
const VERDICT = "packages/node/src/repair/state-verdict.ts";
const MACHINE = "packages/node/src/replica/state-machine.ts";

const SOURCE = "https://github.com/etcd-io/etcd/issues/14039";

export const states: readonly Mutation[] = [
  {
    id: "R32-silent",
    bugs: ["R32"],
    title: "Who has not said what its state is counts as equal",
    source: SOURCE,
    patches: [
      {
        file: VERDICT,
        find: '  if (report === null || report === BUSY || right === null) return "unknown";',
        replace:
          '  if (report === BUSY || right === null) return "unknown";\n' +
          '  if (report === null) return "equal";',
      },
    ],
    hunts: [inScenario("a-silent-node")],
  },
  {
    id: "R32-answered",
    bugs: ["R32"],
    title: "The majority of those who have answered is taken for the majority",
    source: SOURCE,
    patches: [
      {
        file: VERDICT,
        find: "    if (count * 2 > reports.length) return report;",
        replace:
          "    if (count * 2 > reports.filter((each) => each !== null).length) return report;",
      },
    ],
    hunts: [inScenario("two-of-five-differ-alike")],
  },
  {
    id: "R32-half",
    bugs: ["R32"],
    title: "Half of the voters say which state is right",
    source: "A majority is more than half",
    patches: [
      {
        file: VERDICT,
        find: "    if (count * 2 > reports.length) return report;",
        replace: "    if (count * 2 >= reports.length) return report;",
      },
    ],
    hunts: [inScenario("half-of-them-differ")],
  },
  {
    id: "R32-busy",
    bugs: ["R32"],
    title: "Nodes that could not hash their states agree with each other",
    source: SOURCE,
    patches: [
      {
        file: VERDICT,
        find: "    if (report !== null && report !== BUSY) counts.set(",
        replace: "    if (report !== null) counts.set(",
      },
    ],
    hunts: [inScenario("two-are-busy")],
  },
  {
    id: "R32-leader",
    bugs: ["R32"],
    title: "The leader's state is taken for the right one, whatever the others say",
    source: "etcd before its check went by quorum: the leader was right",
    patches: [
      {
        file: PORTS,
        find: "function votersOf({ machine }: Replica): StateVoters {",
        replace: "function votersOf({ machine, core }: Replica): StateVoters {",
      },
      {
        file: PORTS,
        find: "  return { voters, others: [...votersOutgoing, ...learners, ...learnersNext] };",
        replace:
          "  const others = [...voters, ...votersOutgoing, ...learners, ...learnersNext];\n" +
          "  return { voters: [core.leader() ?? voters[0]], others };",
      },
    ],
    hunts: [inScenario("the-leader-differs")],
  },
  {
    id: "R32-serves",
    bugs: ["R32"],
    title: "A node that knows that its state is wrong goes on serving it",
    source: "https://github.com/etcd-io/etcd/issues/8313",
    patches: [
      {
        file: CHECKS,
        find: '    if (own?.state === "different") this.#diverge(open.index);\n',
        replace: "",
      },
    ],
    hunts: [inScenario("a-follower-differs")],
  },
  {
    id: "R32-restart",
    bugs: ["R32"],
    title: "A node that was started again is judged by what its earlier process has said",
    source: "Found here by test",
    patches: [
      {
        file: CHECKS,
        find: "    if (!this.#ports.isCaughtUp()) {",
        replace: '    if (!this.#ports.isCaughtUp() && id === "") {',
      },
    ],
    hunts: [inScenario("a-follower-differs")],
  },
  {
    id: "R32-alarm",
    bugs: ["R32"],
    title: "The alarm about a leader whose state is wrong goes with its office",
    source: "Only who leads can write; another one may lead by then",
    patches: [
      {
        file: CHECKS,
        find: "    if (this.#alarms.size === 0 || !this.#ports.leads()) return;",
        replace: "    if (!this.#ports.leads()) return this.#alarms.clear();",
      },
    ],
    hunts: [inScenario("the-leader-differs")],
  },
  {
    id: "R32-late",
    bugs: ["R32"],
    title: "A part of the state is hashed when there is time, and not as of the entry",
    source: "Only hashes of one log position can be compared",
    patches: [
      {
        file: CHECKS,
        find: "        this.#report(digestOf(walk.hash.hex(), walk.rest));",
        replace:
          "        this.#report(digestOf(walk.hash.hex(), this.#ports.machine().restHash()));",
      },
    ],
    hunts: [inScenario("compared-under-load")],
  },
  {
    id: "R32-mixed",
    bugs: ["R32"],
    title: "What was said of an earlier comparison is an answer to the next one",
    source: "Only hashes of one log position can be compared",
    patches: [
      {
        file: CHECKS,
        find: "    else if (this.#open?.id === id) this.#reported(",
        replace: "    else if (this.#open !== null) this.#reported(",
      },
    ],
    hunts: [inScenario("compared-under-load")],
  },
  {
    id: "R32-order",
    bugs: ["R32"],
    title: "The hash depends on the order of fields: who has restored a snapshot differs",
    source: "Found here by the simulator",
    patches: [
      {
        file: MACHINE,
        find: "    const small = canonicalJson([",
        replace: "    const small = JSON.stringify([",
      },
    ],
    hunts: [inScenario("restored-and-compared")],
  },
];
