/** Disks that give back other bits than were written (R42, R58), found by a node when it starts. */
import { closeSync, openSync, readdirSync, readFileSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { Prng } from "../../sim/world/prng.ts";
import { always, drawMs, type FaultKind } from "./fault.ts";

const DOWN_MIN_MS = 200;
const DOWN_MAX_MS = 3_000;
const FLIPS_MAX = 4;
/** What a node writes by the log's threads; the rest of its directory is small and written once. */
const FOLDERS = ["log", "snapshots"];

export const damage: readonly FaultKind[] = [
  {
    name: "disk-damaged",
    takesCopies: true,
    missing: always,
    aim: ({ machines, free, random }) => {
      if (free.length === 0) return null;
      const node = random.pick(free);
      const flips = random.between(1, FLIPS_MAX + 1);
      return {
        about: `${machines.name(node)} is killed, and ${flips} of the bits on its disk are not what they were`,
        hit: [node],
        keepsMajority: true,
        durationMs: drawMs(random, DOWN_MIN_MS, DOWN_MAX_MS),
        begin: async () => {
          await machines.endNode(node, "SIGKILL");
          const { dataDir } = machines.cluster.nodes[node];
          for (let flip = 0; flip < flips; flip++) flipBit(dataDir, random);
        },
        end: () => machines.startNode(node),
      };
    },
  },
];

/** Somewhere in what was written: not in the space that is only reserved. */
function flipBit(dataDir: string, random: Prng): void {
  const files = FOLDERS.map((folder) => join(dataDir, folder)).flatMap(filesIn);
  if (files.length === 0) return;
  const path = random.pick(files);
  const bytes = readFileSync(path);
  const end = bytes.findLastIndex((byte) => byte !== 0) + 1;
  if (end === 0) return;
  const at = random.between(0, end);
  const flipped = Buffer.of(bytes[at] ^ (1 << random.between(0, 8)));
  const descriptor = openSync(path, "r+");
  writeSync(descriptor, flipped, 0, 1, at);
  closeSync(descriptor);
}

function filesIn(folder: string): string[] {
  const paths = readdirSync(folder, { recursive: true, encoding: "utf8" });
  return paths.map((name) => join(folder, name)).filter((path) => statSync(path).isFile());
}
