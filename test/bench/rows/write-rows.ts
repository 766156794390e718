import type { LoadKind } from "../load/job.ts";
import { runLoad } from "../load/run-load.ts";
import type { PeerName } from "../peers/peer-set.ts";
import type { Measurement, Round, Row, Side } from "./row.ts";

/** What is written, and how. */
interface WriteLoad {
  readonly kind: LoadKind;
  readonly connections: number;
  readonly pipeline: number;
  /** Which of the peer's ports: 0 is the leader. */
  readonly port: number;
  /** Default: that of the settings. */
  readonly valueBytes?: number;
}

/** A load of writes on one port of a peer. */
export function writeSide(label: string, peer: PeerName, load: WriteLoad): Side {
  return {
    label,
    peer,
    measure: async (round: Round): Promise<Measurement> => {
      const { ports } = await round.peers.get(peer);
      const { warmupMs, durationMs, keyCount, valueBytes } = round.settings;
      const result = await runLoad({
        kind: load.kind,
        ports: [ports[load.port]],
        connections: load.connections,
        pipeline: load.pipeline,
        keyCount,
        valueBytes: load.valueBytes ?? valueBytes,
        warmupMs,
        durationMs,
        seed: round.number + 1,
      });
      const { operationsPerSecond, latencyP50Ms, latencyP99Ms, latencyMaxMs, generatorLoad } =
        result;
      return {
        value: operationsPerSecond,
        details: { latencyP50Ms, latencyP99Ms, latencyMaxMs, generatorLoad },
      };
    },
  };
}

function againstRedis(
  id: string,
  connections: number,
  pipeline: number,
  bars: { readonly floor: number; readonly goal: number },
): Row {
  const pipelined = pipeline > 1 ? `, pipeline ${pipeline}` : "";
  const load = { connections, pipeline, port: 0 };
  return {
    id,
    title: `SET, ${connections} clients${pipelined}`,
    unit: "op/s",
    ours: writeSide("ferrite", "ferrite", { kind: "set", ...load }),
    theirs: writeSide("redis, AOF always, SET + WAIT 1", "replicatedRedis", {
      kind: "setWait",
      ...load,
    }),
    ...bars,
    moreIsBetter: true,
    once: false,
  };
}

function againstEtcd(
  id: string,
  connections: number,
  bars: { readonly floor: number; readonly goal: number },
): Row {
  const load = { connections, pipeline: 1, port: 0 };
  return {
    id,
    title: `SET, ${connections} clients`,
    unit: "op/s",
    ours: writeSide("ferrite", "ferrite", { kind: "set", ...load }),
    theirs: writeSide("etcd put", "etcd", { kind: "etcdPut", ...load }),
    ...bars,
    moreIsBetter: true,
    once: false,
  };
}

const throughFollower: Row = {
  id: "set-follower",
  title: "SET through a follower, 50 clients",
  unit: "op/s",
  ours: writeSide("follower", "ferrite", { kind: "set", connections: 50, pipeline: 1, port: 1 }),
  theirs: writeSide("leader", "ferrite", { kind: "set", connections: 50, pipeline: 1, port: 0 }),
  floor: 0.75,
  goal: 0.95,
  moreIsBetter: true,
  once: false,
};

/** In groups by the other side, so that each is started once. */
export const writeRows: readonly Row[] = [
  throughFollower,
  againstRedis("set-50", 50, 1, { floor: 1.25, goal: 1.7 }),
  againstRedis("set-200", 200, 1, { floor: 1.5, goal: 2.2 }),
  againstRedis("set-50-p16", 50, 16, { floor: 1.5, goal: 2.3 }),
  againstEtcd("set-etcd-50", 50, { floor: 4, goal: 7 }),
  againstEtcd("set-etcd-200", 200, { floor: 5, goal: 8 }),
];
