/** Processes that stand still and then go on as if nothing had happened: SIGSTOP and SIGCONT (R29, R50). */
import type { Machines } from "../machines.ts";
import { always, drawMs, minorityOf, sample, type AimedFault, type FaultKind } from "./fault.ts";
import { names } from "./partitions.ts";

/** Shorter than what calls an election, by the settings of a run. */
const BLINK_MAX_MS = 400;
const LONG_MIN_MS = 1_500;
const LONG_MAX_MS = 8_000;

export const pauses: readonly FaultKind[] = [
  {
    name: "pause-short",
    missing: always,
    aim: ({ machines, free, random }) => {
      if (free.length === 0) return null;
      return standstill(machines, [random.pick(free)], drawMs(random, 50, BLINK_MAX_MS));
    },
  },
  {
    name: "pause-leader",
    missing: always,
    aim: ({ machines, free, leader, random }) => {
      if (leader === null || !free.includes(leader)) return null;
      return standstill(machines, [leader], drawMs(random, LONG_MIN_MS, LONG_MAX_MS));
    },
  },
  {
    name: "pause-minority",
    missing: always,
    aim: ({ machines, free, random }) => {
      const still = sample(random, free, minorityOf(machines.nodeIndexes.length));
      if (still.length === 0) return null;
      return standstill(machines, still, drawMs(random, LONG_MIN_MS, LONG_MAX_MS));
    },
  },
  {
    name: "pause-majority",
    missing: always,
    aim: ({ machines, free, random }) => {
      const count = machines.nodeIndexes.length - minorityOf(machines.nodeIndexes.length);
      if (free.length < count) return null;
      const still = sample(random, free, count);
      return standstill(machines, still, drawMs(random, LONG_MIN_MS, LONG_MAX_MS));
    },
  },
];

function standstill(machines: Machines, nodes: readonly number[], durationMs: number): AimedFault {
  return {
    about: `${names(machines, nodes)} ${nodes.length === 1 ? "stands" : "stand"} still`,
    hit: nodes,
    keepsMajority: nodes.length <= minorityOf(machines.nodeIndexes.length),
    durationMs,
    begin: () => {
      for (const node of nodes) machines.pause(node);
      return Promise.resolve();
    },
    end: () => {
      for (const node of nodes) machines.resume(node);
      return Promise.resolve();
    },
  };
}
