import { spawn } from "node:child_process";

import { BenchError } from "../errors.ts";

const TIMEOUT_MS = 120_000;

export interface BenchmarkRun {
  readonly port: number;
  readonly connections: number;
  readonly pipeline: number;
  readonly keyCount: number;
  /** redis-benchmark counts requests, not seconds. */
  readonly requests: number;
}

/**
 * GETs by Redis' own generator, in operations per second. Written in C, it reaches higher than
 * ours; for reads, which no disk slows, that is the difference between measuring a server and
 * measuring the generator.
 */
export async function benchmarkGets(run: BenchmarkRun): Promise<number> {
  const args = [
    ["-h", "127.0.0.1", "-p", String(run.port), "-t", "get", "--csv"],
    ["-c", String(run.connections), "-P", String(run.pipeline)],
    ["-r", String(run.keyCount), "-n", String(run.requests)],
  ].flat();
  const text = await capture(args);
  const line = text.split("\n").find((candidate) => candidate.startsWith('"GET"'));
  const rate = Number(line?.split(",")[1]?.replaceAll('"', ""));
  if (!(rate > 0)) {
    throw new BenchError(`redis-benchmark on port ${run.port} printed no rate: ${text}`);
  }
  return rate;
}

function capture(args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn("redis-benchmark", args, { stdio: ["ignore", "pipe", "pipe"] });
    const output: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => output.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => output.push(chunk));
    const timer = setTimeout(() => child.kill("SIGKILL"), TIMEOUT_MS);
    child.on("error", (error) => reject(new BenchError(`redis-benchmark: ${error.message}`)));
    child.on("close", (code) => {
      clearTimeout(timer);
      const text = Buffer.concat(output).toString("utf8");
      if (code === 0) resolve(text);
      else reject(new BenchError(`redis-benchmark ended with ${code ?? "a signal"}: ${text}`));
    });
  });
}
