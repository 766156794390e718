/** Wall clocks that somebody sets while a node runs, forward and back. */
import { drawMs, type FaultKind } from "./fault.ts";

const MIN_MS = 2_000;
const MAX_MS = 7_000;
/** Certificates are valid from a little before the run on: further back no link can be made, which is not what is asked. */
const BACK_MAX_SECONDS = 200;
const AHEAD_MAX_SECONDS = 3_600;

export const clocks: readonly FaultKind[] = [
  {
    name: "clock-jump",
    missing: (machines) => (machines.clocks.length > 0 ? null : "libfaketime is not installed"),
    aim: ({ machines, free, random }) => {
      if (free.length === 0) return null;
      const node = random.pick(free);
      const isAhead = random.chance(0.5);
      const seconds = random.between(1, isAhead ? AHEAD_MAX_SECONDS : BACK_MAX_SECONDS);
      return {
        about: `the clock of ${machines.name(node)} jumps ${seconds} s ${isAhead ? "ahead" : "back"}, and back`,
        hit: [],
        keepsMajority: true,
        durationMs: drawMs(random, MIN_MS, MAX_MS),
        begin: () => Promise.resolve(machines.clocks[node].set(isAhead ? seconds : -seconds)),
        end: () => Promise.resolve(machines.clocks[node].set(0)),
      };
    },
  },
];
