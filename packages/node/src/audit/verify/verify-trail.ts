/** Verifies the files of one node's trail, from the first record to the last, in constant memory. Needs no node. */
import { ChainCheck, type ChainCheckOptions } from "./chain-check.ts";
import type { Problem, VerificationReport } from "./findings.ts";
import { linesOf } from "./line-source.ts";

export interface VerifyOptions extends ChainCheckOptions {
  /** In the order of their records. */
  readonly files: readonly string[];
}

/** @throws the system's error when a file can not be read */
export async function verifyTrail(options: VerifyOptions): Promise<VerificationReport> {
  const check = new ChainCheck(options);
  const problem = (await firstProblem(options.files, check)) ?? check.finish();
  return {
    problem,
    files: options.files.length,
    records: check.records,
    nodeId: check.nodeId,
    firstSequence: check.firstSequence,
    last: check.last,
    anchor: options.anchor,
    notices: check.notices,
  };
}

async function firstProblem(files: readonly string[], check: ChainCheck): Promise<Problem | null> {
  for (const [at, file] of files.entries()) {
    for await (const line of linesOf(file)) {
      if (!line.isComplete && at === files.length - 1) {
        // A node that runs may be writing it just now; one that was killed cuts it off when it starts.
        check.notices.push(`${file}:${line.number}: an unfinished record, not verified`);
        continue;
      }
      const problem = check.add(line);
      if (problem !== null) return problem;
    }
  }
  return null;
}
