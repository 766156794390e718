import { runLoad } from "../load/run-load.ts";
import type { PeerName } from "../peers/peer-set.ts";
import { fillOnce } from "./fill-once.ts";
import type { Measurement, Round, Row, Side } from "./row.ts";

const CONNECTIONS = 50;

function side(label: string, peer: PeerName, load: { kind: "get" | "set"; tls: boolean }): Side {
  return { label, peer, measure: (round) => measure(round, peer, load) };
}

/** At the leader, or the only node. */
async function measure(
  { peers, settings, number }: Round,
  name: PeerName,
  { kind, tls }: { kind: "get" | "set"; tls: boolean },
): Promise<Measurement> {
  const { warmupMs, durationMs, keyCount, valueBytes } = settings;
  const peer = await peers.get(name);
  await fillOnce(peer, settings);
  const [port] = (tls ? peer.tlsPorts : peer.ports) ?? [];
  const result = await runLoad({
    kind,
    ports: [port],
    connections: CONNECTIONS,
    pipeline: 1,
    keyCount,
    valueBytes,
    warmupMs,
    durationMs,
    seed: number + 1,
    tls,
  });
  const { operationsPerSecond, latencyP50Ms, latencyP99Ms, latencyMaxMs, generatorLoad } = result;
  return {
    value: operationsPerSecond,
    details: { latencyP50Ms, latencyP99Ms, latencyMaxMs, generatorLoad },
  };
}

/** What TLS for clients costs: reads beside those of Redis over TLS, writes beside our own without. */
export const tlsRows: readonly Row[] = [
  {
    id: "tls-get",
    title: `GET over TLS, ${CONNECTIONS} clients, no pipeline`,
    unit: "op/s",
    ours: side("ferrite", "ferrite", { kind: "get", tls: true }),
    theirs: side("redis over TLS, no persistence", "tlsRedis", { kind: "get", tls: true }),
    floor: 0.55,
    goal: 0.75,
    moreIsBetter: true,
    once: false,
  },
  {
    id: "tls-set",
    title: `SET over TLS, ${CONNECTIONS} clients, no pipeline`,
    unit: "op/s",
    ours: side("ferrite over TLS", "ferrite", { kind: "set", tls: true }),
    theirs: side("the same without TLS", "ferrite", { kind: "set", tls: false }),
    floor: 0.7,
    goal: 0.85,
    moreIsBetter: true,
    once: false,
  },
];
