import { performance } from "node:perf_hooks";

import { EtcdClient } from "./etcd-client.ts";
import type { LoadJob, LoadResult } from "./job.ts";
import { keysDrawn } from "./key-sequence.ts";
import { LatencyHistogram } from "./latency-histogram.ts";

/** Clients that share one HTTP/2 connection, about what etcd's own benchmark recommends. */
const CLIENTS_PER_SESSION = 5;
const KEY_DIGITS = 12;

/** The closed loop of generator.ts, with puts to etcd. Throws BenchError if one is refused. */
export async function runEtcdPuts(job: LoadJob): Promise<LoadResult> {
  const sessionCount = Math.ceil(job.connections / CLIENTS_PER_SESSION);
  const sessions = await Promise.all(
    Array.from({ length: sessionCount }, () => EtcdClient.connect(job.ports[0])),
  );
  const histogram = new LatencyHistogram();
  const keys = keysDrawn(job.keyCount, job.seed);
  const value = "x".repeat(job.valueBytes);
  const firstMs = performance.now() + job.warmupMs;
  const lastMs = firstMs + job.durationMs;
  let operations = 0;
  const client = async (session: EtcdClient): Promise<void> => {
    let nowMs = performance.now();
    while (nowMs < lastMs) {
      const sentMs = nowMs;
      await session.put(`key:${String(keys.next()).padStart(KEY_DIGITS, "0")}`, value);
      nowMs = performance.now();
      if (nowMs >= firstMs && nowMs < lastMs) {
        operations += 1;
        histogram.record(nowMs - sentMs);
      }
    }
  };
  const cpuStart = process.cpuUsage();
  try {
    await Promise.all(
      Array.from({ length: job.connections }, (_, index) => client(sessions[index % sessionCount])),
    );
  } finally {
    for (const session of sessions) session.close();
  }
  const cpu = process.cpuUsage(cpuStart);
  return {
    operations,
    measuredMs: job.durationMs,
    operationsPerSecond: operations / (job.durationMs / 1000),
    latencyP50Ms: histogram.percentileMs(0.5),
    latencyP99Ms: histogram.percentileMs(0.99),
    latencyMaxMs: histogram.maxMs,
    errorReplies: 0,
    firstError: "",
    generatorLoad: (cpu.user + cpu.system) / 1000 / (job.warmupMs + job.durationMs),
  };
}
