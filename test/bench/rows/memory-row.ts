import { setTimeout as delay } from "node:timers/promises";

import { runLoad } from "../load/run-load.ts";
import { infoField } from "../peers/peer.ts";
import type { PeerName } from "../peers/peer-set.ts";
import type { Measurement, Round, Row, Side } from "./row.ts";

const FILL_BOUND_MS = 300_000;
/** Buffers and garbage of the loading itself go within this time, in both servers. */
const SETTLE_MS_MAX = 20_000;
const SETTLE_STEP_MS = 1000;
/** The server is at rest when its memory has not fallen by a thousandth in so many steps. */
const SETTLE_STEPS = 4;

interface MemoryUse {
  readonly used: number;
  readonly dataset: number;
  readonly resident: number;
}

async function memoryUse(port: number): Promise<MemoryUse> {
  const field = async (name: string): Promise<number> =>
    Number(await infoField(port, "memory", name));
  return {
    used: await field("used_memory"),
    dataset: await field("used_memory_dataset"),
    resident: await field("used_memory_rss"),
  };
}

async function memoryAtRest(port: number): Promise<MemoryUse> {
  const deadlineMs = Date.now() + SETTLE_MS_MAX;
  let least = await memoryUse(port);
  let steps = 0;
  while (steps < SETTLE_STEPS && Date.now() < deadlineMs) {
    await delay(SETTLE_STEP_MS);
    const now = await memoryUse(port);
    steps = now.used < least.used * 0.999 ? 0 : steps + 1;
    least = now.used < least.used ? now : least;
  }
  return least;
}

const LOAD = { connections: 20, pipeline: 64, warmupMs: 0, seed: 1 } as const;
/** Writes before the first look go to so few keys. */
const WARM_KEY_COUNT = 1000;

/**
 * What `used_memory` grows by per key when keys are loaded. Before the first look both servers have
 * taken as many writes onto a few keys: buffers of fixed size (Ferrite keeps the log's last 64 MiB in
 * memory, for followers) are full by then and are not counted as the keys' own.
 */
function memorySide(label: string, name: PeerName): Side {
  return {
    label,
    peer: name,
    measure: async (round: Round): Promise<Measurement> => {
      const { memoryKeyCount, memoryWarmupMs, valueBytes } = round.settings;
      await round.peers.stopAllBut([]);
      const peer = await round.peers.get(name);
      const port = peer.ports[0];
      const load = { ...LOAD, ports: [port], valueBytes };
      const warm = { ...load, keyCount: WARM_KEY_COUNT, durationMs: memoryWarmupMs };
      await runLoad({ ...warm, kind: "set" });
      const before = await memoryAtRest(port);
      const keys = { ...load, keyCount: memoryKeyCount, durationMs: FILL_BOUND_MS };
      const fill = await runLoad({ ...keys, kind: "fill" });
      const after = await memoryAtRest(port);
      return {
        value: (after.used - before.used) / memoryKeyCount,
        details: {
          keyCount: memoryKeyCount,
          datasetBytesPerKey: (after.dataset - before.dataset) / memoryKeyCount,
          residentBytesPerKey: (after.resident - before.resident) / memoryKeyCount,
          loadedPerSecond: fill.operationsPerSecond,
        },
      };
    },
  };
}

export const memoryRow: Row = {
  id: "memory",
  title: "memory, keys of 16 B, values of 64 B",
  unit: "B/key",
  ours: memorySide("ferrite", "ferrite"),
  theirs: memorySide("redis used_memory", "memoryRedis"),
  floor: 0.8,
  goal: 0.6,
  moreIsBetter: false,
  once: true,
};
