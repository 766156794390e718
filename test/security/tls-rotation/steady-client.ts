/**
 * One user's connection that works at a fixed rate: a pipeline of counters, writes and reads every so often, each answer
 * looked at. It connects anew when it is told to, between two pipelines, as a program that reloads its certificate does.
 */
import { setTimeout as pause } from "node:timers/promises";
import { type RespClient, RespError } from "../../e2e/harness/resp-client.ts";

export interface SteadyClientOptions {
  readonly name: string;
  readonly connect: () => Promise<RespClient>;
  readonly operationsPerPipeline: number;
  readonly intervalMs: number;
  /** Connects anew after so many pipelines; 0: only when told to. */
  readonly pipelinesPerConnection: number;
}

export class SteadyClient {
  readonly failures: string[] = [];
  readonly #options: SteadyClientOptions;
  #client: RespClient | null = null;
  #running: Promise<void> | null = null;
  #stopping = false;
  #renew = false;
  #answered = 0;
  #increments = 0;
  #connections = 0;
  #lastAnswerAtMs = 0;
  #slowestMs = 0;

  constructor(options: SteadyClientOptions) {
    this.#options = options;
  }

  /** Operations that were answered as they should be. */
  get answered(): number {
    return this.#answered;
  }

  /** INCRs that were acknowledged: what the counter has to say. */
  get increments(): number {
    return this.#increments;
  }

  get connections(): number {
    return this.#connections;
  }

  get slowestMs(): number {
    return this.#slowestMs;
  }

  /** `performance.now()` of the last good answer. */
  get lastAnswerAtMs(): number {
    return this.#lastAnswerAtMs;
  }

  get counterKey(): string {
    return `counter:${this.#options.name}`;
  }

  /** Connects, then works until it is stopped or something goes wrong. Rejects when the first connection fails. */
  async start(): Promise<void> {
    await this.#connect();
    this.#running = this.#work();
  }

  /** The next pipeline goes over a new connection. */
  reconnect(): void {
    this.#renew = true;
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#running;
    this.#client?.close();
  }

  async #connect(): Promise<void> {
    const next = await this.#options.connect();
    this.#client?.close();
    this.#client = next;
    this.#connections++;
  }

  async #work(): Promise<void> {
    const { intervalMs, pipelinesPerConnection } = this.#options;
    let dueMs = performance.now();
    for (let round = 1; !this.#stopping && this.failures.length === 0; round++) {
      try {
        if (this.#renew || (pipelinesPerConnection > 0 && round % pipelinesPerConnection === 0)) {
          this.#renew = false;
          await this.#connect();
        }
        await this.#pipeline(round);
      } catch (error) {
        this.failures.push(error instanceof Error ? error.message : String(error));
        return;
      }
      // A fixed rate: what came late is caught up on.
      dueMs += intervalMs;
      const waitMs = dueMs - performance.now();
      if (waitMs > 0) await pause(waitMs);
    }
  }

  async #pipeline(round: number): Promise<void> {
    const { name, operationsPerPipeline } = this.#options;
    const value = `${name}-${round}`;
    const words: string[][] = [["INCR", this.counterKey]];
    for (let at = 1; at < operationsPerPipeline; at++) {
      const key = `key:${name}:${at >> 1}`;
      words.push(at % 2 === 1 ? ["SET", key, value] : ["GET", `key:${name}:${(at - 1) >> 1}`]);
    }
    const sentAtMs = performance.now();
    const answers = await Promise.all(this.#client!.pipeline(words));
    answers.forEach((answer, at) => {
      const expected = at === 0 ? ++this.#increments : at % 2 === 1 ? "OK" : value;
      if (answer !== expected) {
        const text = answer instanceof RespError ? answer.text : JSON.stringify(answer);
        throw new Error(`${words[at].join(" ")} was answered ${text}, not ${expected}`);
      }
      this.#answered++;
    });
    this.#lastAnswerAtMs = performance.now();
    this.#slowestMs = Math.max(this.#slowestMs, this.#lastAnswerAtMs - sentAtMs);
  }
}
