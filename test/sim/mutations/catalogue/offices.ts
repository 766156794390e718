/** Offices that end by the clock, or for what a disk does. */
import { inScenario, type Mutation } from "../mutation.ts";

const DISK_WATCH = "packages/node/src/replica/disk-watch.ts";
const LEASES = "packages/node/src/replica/lease-reads.ts";
const OFFICES = "packages/node/src/replica/stalled-disk-office.ts";
const STATE = "packages/raft/src/state.ts";

export const offices: readonly Mutation[] = [
  {
    id: "R50",
    bugs: ["R50"],
    title: "A leader whose log hangs keeps its office, as its heartbeats go on",
    source: "https://github.com/hashicorp/raft/issues/503",
    patches: [
      {
        file: DISK_WATCH,
        find: "    const isStalled = this.#waitedMs() > this.#options.stallTimeoutMs;",
        replace: "    const isStalled = this.#waitedMs() > Infinity;",
      },
    ],
    hunts: [inScenario("hung-disk")],
  },
  {
    id: "R50-only-asks",
    bugs: ["R50"],
    title: "A leader whose log hangs asks another to lead and waits for it for ever",
    source: "https://github.com/hashicorp/raft/pull/683",
    patches: [
      {
        file: OFFICES,
        find: "    } else if (nowMs >= this.#stepDownAtMs) {",
        replace: "    } else if (nowMs >= this.#stepDownAtMs + 1_000_000) {",
      },
    ],
    hunts: [inScenario("hung-disk-alone")],
  },
  {
    id: "C14",
    bugs: ["R29"],
    title: "A lease is counted in ticks, and a process that stood still has not ticked",
    source: "Thesis, 6.4.1; https://github.com/hashicorp/consul/issues/54",
    patches: [
      {
        file: LEASES,
        find: "    return elapsedMs < this.#lengthMs && Math.abs(wallElapsedMs - elapsedMs) <= this.#jumpMsMax;",
        replace: "    return elapsedMs < Infinity && wallElapsedMs < Infinity;",
      },
    ],
    hunts: [inScenario("lease-after-pause")],
  },
  {
    id: "C14-restart",
    bugs: [],
    title: "A restart ends the promise that a leader's lease rests on",
    source: "Thesis, 6.4.1",
    patches: [
      {
        file: STATE,
        find: "      options.leases === true && hardState.term > 0 ? options.electionTimeoutTicks : 0,",
        replace:
          "      options.leases === true && hardState.term < 0 ? options.electionTimeoutTicks : 0,",
      },
    ],
    hunts: [inScenario("lease-after-restart")],
  },
  {
    id: "C15",
    bugs: ["R58", "R42"],
    title: "A node that has lost the end of its log votes as if that had never been",
    source:
      "https://blog.acolyer.org/2018/02/27/protocol-aware-recovery-for-consensus-based-storage/",
    patches: [
      {
        file: STATE,
        find: "      (this.#floor === null || isAtLeast({ index: lastIndex, term: lastTerm }, this.#floor))\n",
        replace:
          "      (this.#floor === null || isAtLeast({ index: lastIndex, term: lastTerm }, { index: 0, term: 0 }))\n",
      },
    ],
    hunts: [inScenario("damaged-voter")],
  },
];
