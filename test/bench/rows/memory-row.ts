import { runLoad } from "../load/run-load.ts";
import { infoField } from "../peers/peer.ts";
import type { PeerName } from "../peers/peer-set.ts";
import type { Measurement, Round, Row, Side } from "./row.ts";

const FILL_BOUND_MS = 300_000;

/** What `used_memory` grows by when keys are loaded into an empty server, per key. */
function memorySide(label: string, name: PeerName): Side {
  return {
    label,
    peer: name,
    measure: async (round: Round): Promise<Measurement> => {
      const { memoryKeyCount, valueBytes } = round.settings;
      await round.peers.stopAllBut([]);
      const peer = await round.peers.get(name);
      const port = peer.ports[0];
      const used = async (field: string): Promise<number> =>
        Number(await infoField(port, "memory", field));
      const before = { used: await used("used_memory"), rss: await used("used_memory_rss") };
      const fill = await runLoad({
        kind: "fill",
        ports: [port],
        connections: 20,
        pipeline: 64,
        keyCount: memoryKeyCount,
        valueBytes,
        warmupMs: 0,
        durationMs: FILL_BOUND_MS,
        seed: 1,
      });
      const after = { used: await used("used_memory"), rss: await used("used_memory_rss") };
      return {
        value: (after.used - before.used) / memoryKeyCount,
        details: {
          keyCount: memoryKeyCount,
          residentBytesPerKey: (after.rss - before.rss) / memoryKeyCount,
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
