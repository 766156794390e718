import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

import { BenchError } from "../errors.ts";
import type { LoadJob, LoadResult, SteadyJob, SteadyResult } from "./job.ts";

const program = fileURLToPath(new URL("./load-main.ts", import.meta.url));
/** On top of the job's own time: start of the process, connecting, last replies. */
const GRACE_MS = 40_000;

/**
 * Runs one job in a generator process of its own. Throws BenchError if it fails, exceeds its time,
 * or if a server answered with an error: a refused write costs little and would count as fast.
 */
export async function runLoad(job: LoadJob): Promise<LoadResult> {
  const text = await runProgram(JSON.stringify(job), job.warmupMs + job.durationMs + GRACE_MS);
  const result: LoadResult = JSON.parse(text);
  if (result.errorReplies > 0) {
    throw new BenchError(
      `${job.kind} on port ${job.ports[0]}: ${result.errorReplies} error replies, ` +
        `first: ${result.firstError}`,
    );
  }
  if (job.kind === "fill" && result.operations !== job.keyCount) {
    throw new BenchError(`fill wrote ${result.operations} of ${job.keyCount} keys in its time`);
  }
  return result;
}

/** Runs a steady job in a process of its own; every answer has to be a refusal. Throws BenchError if one is not. */
export async function runSteady(job: SteadyJob): Promise<SteadyResult> {
  const text = await runProgram(JSON.stringify(job), job.durationMs + GRACE_MS);
  const result: SteadyResult = JSON.parse(text);
  const answered = Math.round((result.answeredPerSecond * job.durationMs) / 1000);
  if (result.errorReplies < answered * 0.9) {
    throw new BenchError(`${job.kind}: ${result.errorReplies} of ${answered} were refused`);
  }
  return result;
}

function runProgram(argument: string, timeoutMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, argument], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    const output: Buffer[] = [];
    const errors: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => output.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => errors.push(chunk));
    const timer = setTimeout(() => child.kill("SIGKILL"), timeoutMs);
    child.on("error", (error) => reject(new BenchError(`load generator: ${error.message}`)));
    child.on("close", (code) => {
      clearTimeout(timer);
      if (code === 0) {
        resolve(Buffer.concat(output).toString("utf8"));
      } else {
        const reason = Buffer.concat(errors).toString("utf8").trim();
        reject(new BenchError(`load generator ended with ${code ?? "a signal"}: ${reason}`));
      }
    });
  });
}
