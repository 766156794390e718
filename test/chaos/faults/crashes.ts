/** Processes that end without a word (kill -9), one or many, once or again and again, or behind a line that is cut. */
import { pause } from "../../e2e/harness/cluster.ts";
import type { Prng } from "../../sim/world/prng.ts";
import type { Machines } from "../machines.ts";
import type { Heal } from "../network/link-conditions.ts";
import { always, drawMs, minorityOf, sample, type AimedFault, type FaultKind } from "./fault.ts";
import { names, others } from "./partitions.ts";
import { Repetition } from "./repetition.ts";

const DOWN_MIN_MS = 200;
const DOWN_MAX_MS = 5_000;
const LOOP_MIN_MS = 4_000;
const LOOP_MAX_MS = 9_000;
/** A node that crashes again and again lives so long: from the middle of its start to some time in service. */
const LIFE_MIN_MS = 150;
const LIFE_MAX_MS = 2_500;

export const crashes: readonly FaultKind[] = [
  {
    name: "kill-leader",
    missing: always,
    aim: ({ machines, free, leader, random }) => {
      if (leader === null || !free.includes(leader)) return null;
      return crash(machines, [leader], random);
    },
  },
  {
    name: "kill-minority",
    missing: always,
    aim: ({ machines, free, random }) => {
      const count = minorityOf(machines.nodeIndexes.length);
      return free.length < count ? null : crash(machines, sample(random, free, count), random);
    },
  },
  {
    name: "kill-majority",
    missing: always,
    aim: ({ machines, free, random }) => {
      const count = machines.nodeIndexes.length - minorityOf(machines.nodeIndexes.length);
      return free.length < count ? null : crash(machines, sample(random, free, count), random);
    },
  },
  {
    name: "kill-all",
    missing: always,
    aim: ({ machines, free, random }) => {
      return free.length < machines.nodeIndexes.length ? null : crash(machines, free, random);
    },
  },
  {
    name: "crash-loop",
    missing: always,
    aim: ({ machines, free, random }) => {
      if (free.length === 0) return null;
      const node = random.pick(free);
      return {
        about: `${machines.name(node)} is killed and started again and again`,
        hit: [node],
        keepsMajority: true,
        durationMs: drawMs(random, LOOP_MIN_MS, LOOP_MAX_MS),
        ...Repetition.of(async () => {
          await machines.endNode(node, "SIGKILL");
          await machines.startNode(node);
          await pause(drawMs(random, LIFE_MIN_MS, LIFE_MAX_MS));
        }),
      };
    },
  },
  {
    name: "power-cut",
    missing: ({ network }) => (network.can.has("cut") ? null : "this network can not cut lines"),
    aim: ({ machines, free, random }) => {
      if (free.length === 0) return null;
      return powerCut(machines, random.pick(free), random);
    },
  },
];

function crash(machines: Machines, nodes: readonly number[], random: Prng): AimedFault {
  return {
    about: `${names(machines, nodes)} killed`,
    hit: nodes,
    keepsMajority: nodes.length <= minorityOf(machines.nodeIndexes.length),
    durationMs: drawMs(random, DOWN_MIN_MS, DOWN_MAX_MS),
    begin: async () => {
      await Promise.all(nodes.map((node) => machines.endNode(node, "SIGKILL")));
    },
    end: async () => {
      for (const node of sample(random, nodes, nodes.length)) await machines.startNode(node);
    },
  };
}

/** The others are not told that its connections are gone: for them it is silent, and they are left with half of each. */
function powerCut(machines: Machines, node: number, random: Prng): AimedFault {
  let heal: Heal | null = null;
  return {
    about: `${machines.name(node)} loses its power: dead, and nobody is told`,
    hit: [node],
    keepsMajority: true,
    durationMs: drawMs(random, DOWN_MIN_MS, DOWN_MAX_MS),
    begin: async () => {
      const both = (other: number) => [
        { from: node, to: other, isCut: true },
        { from: other, to: node, isCut: true },
      ];
      heal = await machines.network.impair(others(machines, node).flatMap(both));
      await machines.endNode(node, "SIGKILL");
    },
    end: async () => {
      await heal?.();
      await machines.startNode(node);
    },
  };
}
