/** Disks that run full, that hang, and that are slow (R50, R52). */
import type { Machines } from "../machines.ts";
import { always, drawMs, minorityOf, type AimedFault, type FaultKind } from "./fault.ts";

const MIN_MS = 1_500;
const MAX_MS = 7_000;
const SLOW_MIN_MS = 5;
const SLOW_MAX_MS = 120;
/** A full disk is filled again so often: what the node gives back is taken as well. */
const FILL_AGAIN_MS = 100;

export const badDisks: readonly FaultKind[] = [
  {
    name: "disk-full",
    missing: ({ smallDisks }) => {
      return smallDisks.size > 0 ? null : "this user may not mount a tmpfs";
    },
    aim: ({ machines, free, random }) => {
      const nodes = free.filter((node) => machines.smallDisks.has(node));
      if (nodes.length === 0) return null;
      return fullDisk(machines, random.pick(nodes), drawMs(random, MIN_MS, MAX_MS));
    },
  },
  {
    name: "disk-hung",
    missing: always,
    aim: ({ machines, free, leader, random }) => {
      if (free.length === 0) return null;
      // The leader's is the one that hurts.
      const isLeader = leader !== null && free.includes(leader) && random.chance(0.5);
      const node = isLeader ? leader : random.pick(free);
      return {
        about: `the disk of ${machines.name(node)} hangs`,
        hit: [node],
        keepsMajority: true,
        durationMs: drawMs(random, MIN_MS, MAX_MS),
        begin: () => Promise.resolve(machines.disks[node].hang()),
        end: () => Promise.resolve(machines.disks[node].mend()),
      };
    },
  },
  {
    name: "disk-slow",
    missing: always,
    aim: ({ machines, free, random }) => {
      if (free.length === 0) return null;
      const nodes = free.slice(0, random.between(1, free.length + 1));
      const delayMs = drawMs(random, SLOW_MIN_MS, SLOW_MAX_MS);
      const isAll = nodes.length > minorityOf(machines.nodeIndexes.length);
      return {
        about: `${isAll ? "disks" : "the disk"} of ${nodes.map((node) => machines.name(node)).join(", ")} ${delayMs} ms slower`,
        hit: [],
        keepsMajority: true,
        durationMs: drawMs(random, MIN_MS, MAX_MS),
        begin: () => {
          for (const node of nodes) machines.disks[node].slow(delayMs);
          return Promise.resolve();
        },
        end: () => {
          for (const node of nodes) machines.disks[node].mend();
          return Promise.resolve();
        },
      };
    },
  },
];

function fullDisk(machines: Machines, node: number, durationMs: number): AimedFault {
  const disk = machines.smallDisks.get(node)!;
  let timer: NodeJS.Timeout | undefined;
  return {
    about: `the disk of ${machines.name(node)} is full`,
    hit: [node],
    keepsMajority: true,
    durationMs,
    begin: () => {
      disk.fill();
      timer = setInterval(() => disk.fill(), FILL_AGAIN_MS);
      return Promise.resolve();
    },
    end: () => {
      clearInterval(timer);
      disk.relieve();
      return Promise.resolve();
    },
  };
}
