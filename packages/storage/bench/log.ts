/**
 * Latency of the log: `node --conditions=@ferrite/source packages/storage/bench/log.ts [entryBytes]`.
 *
 * Prints, in ms: write and fdatasync on this thread (the floor), a round trip to the log's worker thread and back with
 * 1, 8 and 64 writes on their way, what a `submit` costs the calling thread, and the time of recovery. The disk of a
 * shared machine drifts: compare the lines of one run.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { performance } from "node:perf_hooks";
import { NodeFileSystem } from "../src/disk/node-file-system.ts";
import { SegmentedLog } from "../src/disk/segmented-log.ts";
import { openLog } from "../src/disk/worker-log-writer.ts";
import type { WorkerLogWriter } from "../src/disk/worker-log-writer.ts";

const data = new Uint8Array(Number(process.argv[2] ?? 512)).fill(7);
const rounds = 3000;
const home = mkdtempSync(`${tmpdir()}/ferrite-bench-`);
let index = 0;

function nextWrite() {
  index += 1;
  return { hardState: null, entries: [{ index, term: 1, kind: 0 as const, data }] };
}

function report(name: string, times: number[], totalMs: number): void {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number): string => sorted[Math.floor(sorted.length * share)].toFixed(3);
  const perSecond = Math.round((times.length / totalMs) * 1000);
  process.stdout.write(
    `${name.padEnd(28)} p50 ${at(0.5)}  p90 ${at(0.9)}  p99 ${at(0.99)}  max ${at(0.9999)}  ${perSecond}/s\n`,
  );
}

function options(name: string) {
  return { directory: `${home}/${name}`, clusterId: "bench", groupId: 0 };
}

function measureFloor(): void {
  index = 0;
  const { log } = SegmentedLog.open(new NodeFileSystem(), options("floor"));
  const times: number[] = [];
  const startMs = performance.now();
  for (let i = 0; i < rounds; i += 1) {
    const beginMs = performance.now();
    log.append(nextWrite());
    log.sync();
    times.push(performance.now() - beginMs);
    log.prepare();
  }
  report("write and fdatasync", times, performance.now() - startMs);
  log.close();
}

async function measureRoundTrips(writer: WorkerLogWriter, inflightMax: number): Promise<void> {
  const times: number[] = [];
  const submits: number[] = [];
  const startMs = performance.now();
  await new Promise<void>((resolve) => {
    let left = rounds;
    let inflight = 0;
    const fill = (): void => {
      while (inflight < inflightMax && left > 0) {
        left -= 1;
        inflight += 1;
        const beginMs = performance.now();
        writer.submit(nextWrite(), () => {
          times.push(performance.now() - beginMs);
          inflight -= 1;
          if (left + inflight === 0) {
            resolve();
          } else {
            setImmediate(fill);
          }
        });
        submits.push(performance.now() - beginMs);
      }
    };
    fill();
  });
  const totalMs = performance.now() - startMs;
  report(`round trip, ${inflightMax} on their way`, times, totalMs);
  report("  of it on this thread", submits, totalMs);
}

async function measureWorker(): Promise<void> {
  index = 0;
  const { writer } = await openLog(options("worker"), {
    onFailure: (error) => {
      throw error;
    },
    onSpace: (full) => {
      throw new Error(full ? "the disk is full" : "the disk was full");
    },
  });
  for (const inflightMax of [1, 1, 8, 64]) {
    await measureRoundTrips(writer, inflightMax);
  }
  await new Promise<void>((resolve) => writer.close(resolve));
}

function measureRecovery(): void {
  const beginMs = performance.now();
  const { log, recovered } = SegmentedLog.open(new NodeFileSystem(), options("worker"));
  const tookMs = performance.now() - beginMs;
  process.stdout.write(
    `recovery of ${recovered.entries.length} entries in ${tookMs.toFixed(1)} ms\n`,
  );
  log.close();
}

try {
  measureFloor();
  await measureWorker();
  measureRecovery();
} finally {
  rmSync(home, { recursive: true });
}
