/** What people do to a cluster on purpose: stop a node as it should be stopped, and all of them one after the other. */
import { pause } from "../../e2e/harness/cluster.ts";
import type { Machines } from "../machines.ts";
import { always, drawMs, type AimedFault, type FaultKind } from "./fault.ts";

const DOWN_MIN_MS = 200;
const DOWN_MAX_MS = 4_000;
/** The next node is stopped so soon after the last one is ready again. */
const BETWEEN_MS = 300;

export const restarts: readonly FaultKind[] = [
  {
    name: "stop-leader",
    missing: always,
    aim: ({ machines, free, leader, random }) => {
      if (leader === null || !free.includes(leader)) return null;
      return orderlyStop(machines, leader, drawMs(random, DOWN_MIN_MS, DOWN_MAX_MS));
    },
  },
  {
    name: "stop-one",
    missing: always,
    aim: ({ machines, free, random }) => {
      if (free.length === 0) return null;
      return orderlyStop(machines, random.pick(free), drawMs(random, DOWN_MIN_MS, DOWN_MAX_MS));
    },
  },
  {
    name: "rolling-restart",
    missing: always,
    aim: ({ machines, free }) => {
      return free.length < machines.nodeIndexes.length ? null : rollingRestart(machines);
    },
  },
];

function orderlyStop(machines: Machines, node: number, durationMs: number): AimedFault {
  return {
    about: `${machines.name(node)} is stopped`,
    hit: [node],
    keepsMajority: true,
    durationMs,
    begin: () => machines.endNode(node, "SIGTERM"),
    end: () => machines.startNode(node),
  };
}

/** Its clients' connections end one after the other; on the node that is not being restarted there is no gap. */
function rollingRestart(machines: Machines): AimedFault {
  return {
    about: "all nodes are restarted, one after the other",
    hit: machines.nodeIndexes,
    keepsMajority: true,
    durationMs: 0,
    begin: async () => {
      for (const node of machines.nodeIndexes) {
        await machines.endNode(node, "SIGTERM");
        await machines.startNode(node);
        await machines.cluster.ready(node);
        await pause(BETWEEN_MS);
      }
    },
    end: () => Promise.resolve(),
  };
}
