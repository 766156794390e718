/** Writes on their way: forwarding, sessions, what a client is told, what apply may look at. */
import { inFaults, inScenario, type Mutation } from "../mutation.ts";

const MACHINE = "packages/node/src/replica/state-machine.ts";
const PROPOSALS = "packages/node/src/replica/proposals.ts";
const SESSIONS = "packages/node/src/replica/sessions.ts";
const CHECK = "packages/node/src/replica/write-check.ts";
const APPLIED = "packages/node/src/replica/applied-side.ts";

export const writes: readonly Mutation[] = [
  {
    id: "R01",
    bugs: ["R01"],
    title: "A forwarded write is proposed again and again, under new numbers",
    source: "https://github.com/RedisLabs/redisraft/issues/13",
    patches: [
      {
        file: PROPOSALS,
        find: "    this.#removeOldest();\n    this.#appliedSequence = sequence;\n",
        replace:
          "    this.#removeOldest();\n    this.#appliedSequence = sequence;\n    const again = { ...batch, bytes: Buffer.from(batch.bytes), clients: [], attempts: 0, logged: false, placedInTerm: 0 };\n    again.sequence = this.#nextSequence++;\n    renumber(again.bytes, again);\n    this.#queuedBytes += again.bytes.length;\n    this.#batches.push(again);\n",
      },
    ],
    hunts: [inFaults(10)],
  },
  {
    id: "R06",
    bugs: ["R06"],
    title: "A write that may be in a log is answered with an error that means not applied",
    source: "https://github.com/RedisLabs/redisraft/issues/23",
    patches: [
      {
        file: PROPOSALS,
        find: '"UNKNOWNOUTCOME the write was sent but its outcome did not come back; it may have been applied"',
        replace: '"CLUSTERDOWN no leader; the write was not applied"',
      },
    ],
    hunts: [inScenario("given-up")],
  },
  {
    id: "R12",
    bugs: ["R12"],
    title: "A batch that was sent twice is applied twice",
    source: "https://github.com/RedisLabs/redisraft/issues/52",
    patches: [
      {
        file: SESSIONS,
        find: '    if (sequence <= session.sequence) return "duplicate";',
        replace: '    if (sequence <= session.sequence) return "next";',
      },
    ],
    hunts: [inScenario("sent-twice")],
  },
  {
    id: "R57",
    bugs: ["R57"],
    title: "A write with an unknown outcome is tried again by the node, as a new one",
    source: "Jepsen on TiDB 2.1.7",
    patches: [
      {
        file: PROPOSALS,
        find: "    for (; open > 0; open--) {\n      fail(\n        this.#removeOldest(),",
        replace:
          "    for (let at = 0; at < open; at++) {\n      fail(\n        { ...this.#batches[at] },",
      },
      {
        file: PROPOSALS,
        find: "    this.#beginIncarnation();\n  }\n\n  #giveUpUnsent(",
        replace:
          "    for (const batch of this.#batches) Object.assign(batch, { clients: [], sinceMs: Infinity });\n    this.#beginIncarnation();\n  }\n\n  #giveUpUnsent(",
      },
    ],
    hunts: [inScenario("given-up")],
  },
  {
    id: "C09",
    bugs: [],
    title: "A batch is applied although the one before it is missing",
    source: "Thesis, 6.3",
    patches: [
      {
        file: SESSIONS,
        find: '    if (sequence !== session.sequence + 1) return "gap";\n',
        replace: "",
      },
      {
        file: SESSIONS,
        find: "    session.sequence = sequence;\n",
        replace: "    session.sequence = Math.max(session.sequence, sequence);\n",
      },
    ],
    hunts: [inScenario("overtaken")],
  },
  {
    id: "R24",
    bugs: ["R24"],
    title: "Apply refuses a write only on the node where its client waits",
    source: "https://github.com/etcd-io/etcd/issues/14571",
    patches: [
      {
        file: MACHINE,
        find: "    const refusal = this.#check.refusal(reader, this.#timeMs, command, argv);",
        replace:
          "    const refusal = client === undefined ? null : this.#check.refusal(reader, this.#timeMs, command, argv);",
      },
    ],
    hunts: [inFaults(60)],
  },
  {
    id: "R56",
    bugs: ["R56"],
    title: "Apply believes what the edge has checked, whatever became of the user since",
    source: "https://github.com/redis/redis/issues/8370",
    patches: [
      {
        file: CHECK,
        find: "    return reader.aclRevision === this.#users.revision && this.#users.nextExpiryMs > timeMs;",
        replace: "    return reader.aclRevision <= this.#users.revision && timeMs >= 0;",
      },
    ],
    hunts: [inFaults(60)],
  },
  {
    id: "C07",
    bugs: [],
    title: "Keys expire by the clock of the node that applies",
    source: "Apply must be deterministic",
    patches: [
      {
        file: APPLIED,
        find: "    this.#queue.apply(this.#machine, this.#listener, recordsMax);",
        replace:
          "    Object.assign(this.#machine, { localNowMs: clock.nowMs() });\n    this.#queue.apply(this.#machine, this.#listener, recordsMax);",
      },
      {
        file: MACHINE,
        find: "    this.#context.nowMs = this.#timeMs;",
        replace:
          '    this.#context.nowMs = Number(Reflect.get(this, "localNowMs") ?? this.#timeMs);',
      },
    ],
    hunts: [inFaults(20)],
  },
];
