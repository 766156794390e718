import { connect, type NetConnectOpts, type Socket } from "node:net";
import { performance } from "node:perf_hooks";
import { connect as connectTls } from "node:tls";

import type { LoadJob, LoadResult } from "./job.ts";
import { keysDrawn, keysInOrder, type KeySequence } from "./key-sequence.ts";
import { LatencyHistogram } from "./latency-histogram.ts";
import { ReplyCounter } from "./reply-counter.ts";
import { RequestUnit } from "./request.ts";

const READ_BUFFER_BYTES = 256 * 1024;
const CONNECT_TIMEOUT_MS = 10_000;
/** After the end of the measured time, replies that are under way may still come. */
const DRAIN_MS = 15_000;

/** A server closed a connection, or did not answer at all. */
export class LoadError extends Error {
  readonly code = "ERR_FERRITE_BENCH_LOAD";
}

/**
 * Keeps `connections` connections busy: each sends a unit, waits for its replies, sends the next.
 * That is a closed loop, as redis-benchmark does it; a slow server is asked less often.
 */
export class Generator {
  readonly #job: LoadJob;
  readonly #keys: KeySequence;
  readonly #histogram = new LatencyHistogram();
  /** Reads are handled before the next one starts, so that all connections can share it. */
  readonly #readBuffer = Buffer.allocUnsafe(READ_BUFFER_BYTES);
  readonly #lanes: Lane[] = [];
  #measuring = false;
  #stopping = false;
  #operations = 0;
  #busyLanes = 0;
  #finish: (error?: Error) => void = () => {};

  constructor(job: LoadJob) {
    this.#job = job;
    this.#keys =
      job.kind === "fill" ? keysInOrder(job.keyCount) : keysDrawn(job.keyCount, job.seed);
  }

  /** Connects, warms up, measures and disconnects. Throws LoadError if a connection breaks. */
  async run(): Promise<LoadResult> {
    try {
      await this.#connectAll();
      return await this.#measure();
    } finally {
      for (const lane of this.#lanes) {
        lane.socket.destroy();
      }
    }
  }

  async #connectAll(): Promise<void> {
    const ready: Promise<void>[] = [];
    for (let index = 0; index < this.#job.connections; index++) {
      const port = this.#job.ports[index % this.#job.ports.length];
      ready.push(this.#connectLane(port));
    }
    await Promise.all(ready);
  }

  #connectLane(port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const unit = new RequestUnit(this.#job);
      const counter = new ReplyCounter();
      const { login, tls = false } = this.#job;
      const options = {
        host: "127.0.0.1",
        port,
        noDelay: true,
        onread: {
          buffer: this.#readBuffer,
          callback: (byteCount: number, buffer: Uint8Array) => {
            const replies = counter.push(buffer, byteCount);
            if (lane.isIn) this.#receive(lane, replies);
            else if (replies > 0) letIn();
            return true;
          },
        },
      } satisfies NetConnectOpts;
      const socket = tls ? connectTls({ ...options, rejectUnauthorized: false }) : connect(options);
      const lane: Lane = {
        socket,
        unit,
        counter,
        isIn: login === undefined,
        repliesLeft: 0,
        operations: 0,
        sentMs: 0,
      };
      const letIn = (): void => {
        clearTimeout(timer);
        lane.isIn = true;
        this.#lanes.push(lane);
        if (counter.errorReplies > 0) reject(new LoadError(`AUTH: ${counter.firstError}`));
        else resolve();
      };
      const timer = setTimeout(() => {
        reject(new LoadError(`no connection to port ${port} in ${CONNECT_TIMEOUT_MS} ms`));
      }, CONNECT_TIMEOUT_MS);
      socket.once(tls ? "secureConnect" : "connect", () => {
        if (login === undefined) letIn();
        else socket.write(`AUTH ${login.user} ${login.password}\r\n`);
      });
      socket.on("error", (error) => {
        clearTimeout(timer);
        reject(error);
        this.#finish(new LoadError(`connection to port ${port}: ${error.message}`));
      });
      socket.on("close", () => {
        this.#finish(new LoadError(`port ${port} closed a connection`));
      });
    });
  }

  async #measure(): Promise<LoadResult> {
    const { warmupMs, durationMs, kind } = this.#job;
    let startedMs = 0;
    let endedMs = 0;
    let cpuStart = process.cpuUsage();
    let cpuMs = 0;
    await new Promise<void>((resolve, reject) => {
      const timers: NodeJS.Timeout[] = [];
      const end = (): void => {
        if (!this.#stopping) {
          this.#stopping = true;
          this.#measuring = false;
          endedMs = performance.now();
          const used = process.cpuUsage(cpuStart);
          cpuMs = (used.user + used.system) / 1000;
        }
      };
      this.#finish = (error) => {
        end();
        this.#finish = () => {};
        for (const timer of timers) clearTimeout(timer);
        if (error === undefined) resolve();
        else reject(error);
      };
      timers.push(
        setTimeout(
          () => {
            startedMs = performance.now();
            cpuStart = process.cpuUsage();
            this.#measuring = true;
          },
          kind === "fill" ? 0 : warmupMs,
        ),
        setTimeout(end, warmupMs + durationMs),
        setTimeout(
          () => this.#finish(new LoadError("replies are missing after the end")),
          warmupMs + durationMs + DRAIN_MS,
        ),
      );
      startedMs = performance.now();
      this.#measuring = kind === "fill";
      this.#busyLanes = this.#lanes.length;
      for (const lane of this.#lanes) this.#send(lane);
    });
    return this.#result(endedMs - startedMs, cpuMs);
  }

  #send(lane: Lane): void {
    const { unit } = lane;
    let commands = 0;
    while (commands < unit.operations) {
      const key = this.#keys.next();
      if (key < 0) break;
      unit.setKey(commands++, key);
    }
    if (commands === 0) {
      this.#retire();
      return;
    }
    const whole = commands === unit.operations;
    lane.operations = commands;
    lane.repliesLeft = whole ? unit.replyCount : commands;
    lane.sentMs = performance.now();
    lane.socket.write(
      whole ? unit.bytes : unit.bytes.subarray(0, (unit.bytes.length / unit.operations) * commands),
    );
  }

  #receive(lane: Lane, replies: number): void {
    lane.repliesLeft -= replies;
    if (lane.repliesLeft > 0) {
      return;
    }
    if (this.#measuring) {
      this.#operations += lane.operations;
      this.#histogram.record(performance.now() - lane.sentMs);
    }
    if (this.#stopping) {
      this.#retire();
    } else {
      this.#send(lane);
    }
  }

  #retire(): void {
    this.#busyLanes -= 1;
    if (this.#busyLanes === 0) {
      this.#finish();
    }
  }

  #result(measuredMs: number, cpuMs: number): LoadResult {
    const counters = this.#lanes.map((lane) => lane.counter);
    const unreplicated = counters.reduce((sum, counter) => sum + counter.zeroReplies, 0);
    const errors = counters.reduce((sum, counter) => sum + counter.errorReplies, 0);
    const firstError = counters.map((counter) => counter.firstError).find((text) => text !== "");
    return {
      operations: this.#operations,
      measuredMs,
      operationsPerSecond: this.#operations / (measuredMs / 1000),
      latencyP50Ms: this.#histogram.percentileMs(0.5),
      latencyP99Ms: this.#histogram.percentileMs(0.99),
      latencyMaxMs: this.#histogram.maxMs,
      errorReplies: errors + unreplicated,
      firstError: firstError ?? (unreplicated > 0 ? "WAIT was answered with 0 replicas" : ""),
      generatorLoad: cpuMs / measuredMs,
    };
  }
}

/** One connection and what it is waiting for. */
interface Lane {
  readonly socket: Socket;
  readonly unit: RequestUnit;
  readonly counter: ReplyCounter;
  /** Logged in, where the job wants that. */
  isIn: boolean;
  repliesLeft: number;
  operations: number;
  sentMs: number;
}
