/** Runs of many seeds, cut in pieces for several processes: a seed needs nothing of another. */
import { fork } from "node:child_process";

/** What the runs of some seeds came to. */
export interface Tally {
  passed: number;
  failed: number;
  virtualMs: number;
  cpuMs: number;
  operations: number;
  steps: number;
  readonly faults: Record<string, number>;
}

export function newTally(): Tally {
  return { passed: 0, failed: 0, virtualMs: 0, cpuMs: 0, operations: 0, steps: 0, faults: {} };
}

export function addTally(sum: Tally, part: Tally): void {
  sum.passed += part.passed;
  sum.failed += part.failed;
  sum.virtualMs += part.virtualMs;
  sum.cpuMs += part.cpuMs;
  sum.operations += part.operations;
  sum.steps += part.steps;
  for (const [kind, count] of Object.entries(part.faults))
    sum.faults[kind] = (sum.faults[kind] ?? 0) + count;
}

/** Of the seeds that one process takes at a time: pieces are small, so that none is left alone with the slow ones. */
const PIECE_SEEDS = 50;

/**
 * Runs `count` seeds from `from` on in `jobs` processes of the same program, each piece with `--seeds`, `--from`, `--tally` and what
 * else is in `options`. What they print comes out as it comes.
 */
export async function runSideBySide(options: {
  readonly program: string;
  readonly from: number;
  readonly count: number;
  readonly jobs: number;
  readonly options: readonly string[];
}): Promise<Tally> {
  const sum = newTally();
  let next = options.from;
  const end = options.from + options.count;
  const work = async (): Promise<void> => {
    while (next < end) {
      const from = next;
      const count = Math.min(PIECE_SEEDS, end - from);
      next += count;
      addTally(sum, await runPiece(options, from, count));
    }
  };
  await Promise.all(Array.from({ length: options.jobs }, work));
  return sum;
}

function runPiece(
  { program, options }: { readonly program: string; readonly options: readonly string[] },
  from: number,
  count: number,
): Promise<Tally> {
  return new Promise((resolve, reject) => {
    const piece = ["--seeds", String(count), "--from", String(from), "--tally", ...options];
    const child = fork(program, piece, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    let tally: Tally | null = null;
    child.on("message", (message) => {
      tally = message as Tally;
    });
    child.on("error", reject);
    child.on("exit", (code, signal) => {
      if (tally !== null) resolve(tally);
      else reject(new Error(`the process with seeds from ${from} ended: ${signal ?? code}`));
    });
  });
}
