/** The hashing thread: one job after the other, at the lowest priority. Started by hashing-service.ts only. */
import { parentPort } from "node:worker_threads";
import { runHashingJob } from "./hashing-job.ts";
import type { HashingAnswer, HashingJob } from "./hashing-job.ts";
import { lowerThreadPriority } from "./thread-priority.ts";

/** From the service. */
export interface HashingRequest {
  readonly id: number;
  readonly job: HashingJob;
}

/** To the service. `ready` comes once, first. */
export type HashingReport =
  | { readonly kind: "ready"; readonly priorityProblem: string | null }
  | { readonly kind: "done"; readonly id: number; readonly answer: HashingAnswer };

const service = parentPort;
if (service === null) throw new Error("the hashing worker runs in a worker thread only");

const report = (message: HashingReport): void => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port has no origin
  service.postMessage(message);
};
service.on("message", (request: HashingRequest) => {
  report({ kind: "done", id: request.id, answer: runHashingJob(request.job) });
});
report({ kind: "ready", priorityProblem: lowerThreadPriority() });
