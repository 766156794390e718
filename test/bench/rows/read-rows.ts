import { runLoad } from "../load/run-load.ts";
import type { Peer } from "../peers/peer.ts";
import type { PeerName } from "../peers/peer-set.ts";
import type { BenchSettings } from "../settings.ts";
import type { Measurement, Round, Row, Side } from "./row.ts";

const CONNECTIONS = 50;
const FILL_BOUND_MS = 120_000;
const FILL_CONNECTIONS = 20;
const FILL_PIPELINE = 32;

/** Peers whose keys are there already. */
const filled = new WeakSet<Peer>();

/** Every GET shall find its key. */
async function fillOnce(peer: Peer, settings: BenchSettings): Promise<void> {
  if (filled.has(peer)) {
    return;
  }
  await runLoad({
    kind: "fill",
    ports: [peer.ports[0]],
    connections: FILL_CONNECTIONS,
    pipeline: FILL_PIPELINE,
    keyCount: settings.keyCount,
    valueBytes: settings.valueBytes,
    warmupMs: 0,
    durationMs: FILL_BOUND_MS,
    seed: 1,
  });
  filled.add(peer);
}

function readSide(label: string, name: PeerName, pipeline: number): Side {
  return {
    label,
    peer: name,
    measure: async (round: Round): Promise<Measurement> => {
      const { warmupMs, durationMs, keyCount, valueBytes } = round.settings;
      const peer = await round.peers.get(name);
      await fillOnce(peer, round.settings);
      // Any node answers reads: the rounds go round.
      const node = round.number % peer.ports.length;
      const result = await runLoad({
        kind: "get",
        ports: [peer.ports[node]],
        connections: CONNECTIONS,
        pipeline,
        keyCount,
        valueBytes,
        warmupMs,
        durationMs,
        seed: round.number + 1,
      });
      const { operationsPerSecond, latencyP50Ms, latencyP99Ms, latencyMaxMs, generatorLoad } =
        result;
      return {
        value: operationsPerSecond,
        details: { node, latencyP50Ms, latencyP99Ms, latencyMaxMs, generatorLoad },
      };
    },
  };
}

function readRow(id: string, pipeline: number, bars: { floor: number; goal: number }): Row {
  const pipelined = pipeline > 1 ? `pipeline ${pipeline}` : "no pipeline";
  return {
    id,
    title: `GET, any node, ${CONNECTIONS} clients, ${pipelined}`,
    unit: "op/s",
    ours: readSide("ferrite", "ferrite", pipeline),
    theirs: readSide("redis, no persistence", "memoryRedis", pipeline),
    ...bars,
    moreIsBetter: true,
    once: false,
  };
}

export const readRows: readonly Row[] = [
  readRow("get", 1, { floor: 0.75, goal: 1 }),
  readRow("get-p16", 16, { floor: 0.9, goal: 1.3 }),
];
