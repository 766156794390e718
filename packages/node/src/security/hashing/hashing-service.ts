/**
 * Hashing in a thread of its own, at the lowest priority, behind bounded queues (S25): a flood of wrong passwords takes
 * neither the event loop nor the thread pool, which carries the log's file system calls elsewhere.
 *
 *   change      ACL SETUSER with a password: somebody who is logged in waits        first
 *   local       logins from this machine                                           \ in turn
 *   remote      all other logins, fair between addresses                           /
 *   background  new hashes for passwords whose old ones have become too cheap       when nothing else waits
 */
import { Worker } from "node:worker_threads";
import type { ServerLogger } from "../../server/logger.ts";
import { FairQueue } from "./fair-queue.ts";
import type { HashingAnswer, HashingJob } from "./hashing-job.ts";
import type { HashingReport, HashingRequest } from "./hashing-worker.ts";

export type HashingLane = "change" | "local" | "remote" | "background";

export interface HashingOrder {
  readonly lane: HashingLane;
  /** Under which the job is counted (addressGroup). */
  readonly address: string;
}

/** busy: too much waits already. failed: the thread was lost, or the service is closed. */
export type HashingOutcome =
  | HashingAnswer
  | { readonly kind: "busy" }
  | { readonly kind: "failed" };

/** What users of the service see of it. */
export interface Hashing {
  /** Does a job. Takes the digest over: it is wiped, whatever the outcome. Never rejects. */
  run(job: HashingJob, order: HashingOrder): Promise<HashingOutcome>;
}

export interface HashingOptions {
  readonly logger: ServerLogger;
  /** Jobs that may wait in one lane; default 256, about 5 seconds of work. */
  readonly queueMax?: number;
  /** Pause before a lost thread is started anew; doubles up to the second one. Default 100 and 10,000. */
  readonly restartDelayMs?: number;
  readonly restartDelayMsMax?: number;
  /** Makes the thread; tests give other ones. */
  readonly startWorker?: () => Worker;
}

interface Pending {
  readonly job: HashingJob;
  readonly settle: (outcome: HashingOutcome) => void;
}

const QUEUE_MAX_DEFAULT = 256;
const RESTART_DELAY_MS_DEFAULT = 100;
const RESTART_DELAY_MS_MAX_DEFAULT = 10_000;
/** Jobs that the thread holds: the second is there when the first is done, however busy the event loop is. */
const JOBS_AT_ONCE_MAX = 2;

export class HashingService implements Hashing {
  readonly #options: HashingOptions;
  readonly #lanes: Readonly<Record<HashingLane, FairQueue<Pending>>>;
  readonly #inWorker = new Map<number, Pending>();
  #worker: Worker | null = null;
  #restart: NodeJS.Timeout | null = null;
  #restartDelayMs: number;
  #nextId = 1;
  #localIsNext = true;
  #isClosed = false;
  #restarts = 0;

  constructor(options: HashingOptions) {
    this.#options = options;
    const sizeMax = options.queueMax ?? QUEUE_MAX_DEFAULT;
    this.#lanes = {
      change: new FairQueue(sizeMax),
      local: new FairQueue(sizeMax),
      remote: new FairQueue(sizeMax),
      background: new FairQueue(sizeMax),
    };
    this.#restartDelayMs = options.restartDelayMs ?? RESTART_DELAY_MS_DEFAULT;
  }

  /** Starts the thread before there is work for it; else the first job does. */
  start(): void {
    if (this.#isClosed || this.#worker !== null || this.#restart !== null) return;
    const worker = (this.#options.startWorker ?? startHashingWorker)();
    this.#worker = worker;
    worker.unref();
    worker.on("message", (report: HashingReport) => this.#onReport(worker, report));
    worker.on("error", (error) => this.#onLost(worker, error.message));
    worker.on("exit", () => this.#onLost(worker, "it ended unexpectedly"));
  }

  run(job: HashingJob, order: HashingOrder): Promise<HashingOutcome> {
    // A copy of its own, so that it can be handed to the thread without leaving one here.
    const own = { ...job, digest: new Uint8Array(job.digest) };
    job.digest.fill(0);
    return new Promise((resolve) => {
      const pending: Pending = {
        job: own,
        settle: (outcome) => {
          // Its memory is the thread's once it was handed over, and is wiped there.
          if (own.digest.length > 0) own.digest.fill(0);
          resolve(outcome);
        },
      };
      if (this.#isClosed) {
        pending.settle({ kind: "failed" });
        return;
      }
      this.#lanes[order.lane].push(order.address, pending)?.settle({ kind: "busy" });
      this.start();
      this.#feed();
    });
  }

  /** Jobs that wait or are being done. */
  get waiting(): number {
    const lanes = Object.values(this.#lanes);
    return lanes.reduce((sum, lane) => sum + lane.size, this.#inWorker.size);
  }

  /** How often the thread was lost and started anew. */
  get restarts(): number {
    return this.#restarts;
  }

  /** Ends the thread; what waits is answered "failed". */
  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#restart !== null) clearTimeout(this.#restart);
    this.#restart = null;
    const worker = this.#worker;
    this.#worker = null;
    this.#failAll();
    await worker?.terminate();
  }

  #feed(): void {
    const worker = this.#worker;
    if (worker === null) return;
    while (this.#inWorker.size < JOBS_AT_ONCE_MAX) {
      const pending = this.#next();
      if (pending === undefined) break;
      const id = this.#nextId++;
      this.#inWorker.set(id, pending);
      const request: HashingRequest = { id, job: pending.job };
      // Moved, not copied: no digest stays behind on this side.
      worker.postMessage(request, [pending.job.digest.buffer as ArrayBuffer]);
    }
    // The process does not end while somebody waits for an answer, and is not held by an idle thread.
    if (this.#inWorker.size > 0) worker.ref();
    else worker.unref();
  }

  #next(): Pending | undefined {
    const { change, local, remote, background } = this.#lanes;
    if (change.size > 0) return change.shift();
    const [first, second] = this.#localIsNext ? [local, remote] : [remote, local];
    this.#localIsNext = !this.#localIsNext;
    return first.shift() ?? second.shift() ?? background.shift();
  }

  #onReport(worker: Worker, report: HashingReport): void {
    if (worker !== this.#worker) return;
    if (report.kind === "ready") {
      if (report.priorityProblem !== null) {
        this.#options.logger.warn(
          { reason: report.priorityProblem },
          "passwords are hashed at normal priority: floods of logins can slow down other clients",
        );
      }
      return;
    }
    this.#restartDelayMs = this.#options.restartDelayMs ?? RESTART_DELAY_MS_DEFAULT;
    const pending = this.#inWorker.get(report.id);
    this.#inWorker.delete(report.id);
    pending?.settle(report.answer);
    this.#feed();
  }

  /** An error is followed by an exit; the first of them counts. */
  #onLost(worker: Worker, reason: string): void {
    if (worker !== this.#worker) return;
    this.#worker = null;
    const delayMs = this.#restartDelayMs;
    const delayMsMax = this.#options.restartDelayMsMax ?? RESTART_DELAY_MS_MAX_DEFAULT;
    this.#restartDelayMs = Math.min(delayMs * 2, delayMsMax);
    this.#restarts++;
    this.#options.logger.error(
      { reason, delayMs, jobs: this.waiting },
      "the password hashing thread was lost; starting it anew",
    );
    this.#restart = setTimeout(() => {
      this.#restart = null;
      this.start();
      this.#feed();
    }, delayMs);
    this.#failAll();
  }

  #failAll(): void {
    const inWorker = [...this.#inWorker.values()];
    this.#inWorker.clear();
    const queued = Object.values(this.#lanes).flatMap((lane) => lane.drain());
    for (const pending of [...inWorker, ...queued]) pending.settle({ kind: "failed" });
  }
}

function startHashingWorker(): Worker {
  // The same file kind as this one: source when run from source, build when run from the build.
  const file = import.meta.url.endsWith(".ts") ? "./hashing-worker.ts" : "./hashing-worker.js";
  return new Worker(new URL(file, import.meta.url), {
    execArgv: [],
    // Passwords can be given by the environment; this thread has no use for it.
    env: {},
    name: "ferrite-hashing",
  });
}
