/** Hashing that waits until a test says "go", and notes what it cost. */
import { runHashingJob } from "../../../src/security/hashing/hashing-job.ts";
import type { HashingJob } from "../../../src/security/hashing/hashing-job.ts";
import type {
  Hashing,
  HashingOrder,
  HashingOutcome,
} from "../../../src/security/hashing/hashing-service.ts";

interface Waiting {
  readonly job: HashingJob;
  readonly resolve: (outcome: HashingOutcome) => void;
}

export class FakeHashing implements Hashing {
  /** Jobs are done at once unless this is set. */
  isHeld = false;
  /** Answers this instead of working. */
  outcome: HashingOutcome | null = null;
  readonly orders: HashingOrder[] = [];
  readonly jobs: HashingJob[] = [];
  /** Digests as they came, to see that they are wiped. */
  readonly digests: Uint8Array[] = [];
  /** Iterations of each finished job that did not find its password: what a client can measure. */
  readonly refusalCosts: number[] = [];
  #waiting: Waiting[] = [];

  run(job: HashingJob, order: HashingOrder): Promise<HashingOutcome> {
    this.jobs.push(job);
    this.orders.push(order);
    this.digests.push(job.digest);
    return new Promise((resolve) => {
      this.#waiting.push({ job, resolve });
      if (!this.isHeld) this.release();
    });
  }

  get waitingCount(): number {
    return this.#waiting.length;
  }

  /** Does all that waits. */
  release(): void {
    for (const { job, resolve } of this.#waiting.splice(0)) resolve(this.#work(job));
  }

  #work(job: HashingJob): HashingOutcome {
    if (this.outcome !== null) return this.outcome;
    const answer = runHashingJob(job);
    if (job.kind === "verify" && answer.kind === "verified" && answer.index < 0) {
      const spent = job.candidates.reduce((sum, candidate) => sum + candidate.iterations, 0);
      this.refusalCosts.push(spent + job.paddingIterations);
    }
    return answer;
  }
}
