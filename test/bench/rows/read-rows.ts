import { runLoad } from "../load/run-load.ts";
import type { PeerName } from "../peers/peer-set.ts";
import { fillOnce } from "./fill-once.ts";
import type { Measurement, Round, Row, Side } from "./row.ts";

const CONNECTIONS = 50;
function readSide(label: string, name: PeerName, pipeline: number): Side {
  return {
    label,
    peer: name,
    measure: async (round: Round): Promise<Measurement> => {
      const { warmupMs, durationMs, keyCount, valueBytes } = round.settings;
      const peer = await round.peers.get(name);
      await fillOnce(peer, round.settings);
      // Any node answers reads: the rounds go round. Those that do not count have numbers below zero.
      const node = Math.abs(round.number) % peer.ports.length;
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
