/** One connection that carries out a workload until it is told to stop or loses its connection, and measures the pauses. */
import type { RespClient } from "../harness/resp-client.ts";
import type { Workload } from "./workload.ts";

export class LoadClient {
  readonly #client: RespClient;
  readonly #workload: Workload;
  readonly #ended: Promise<void>;
  #stopping = false;
  #acknowledged = 0;
  #lastAcknowledgedAtMs: number = performance.now();
  #longestGapMs = 0;
  #hasEnded = false;

  /** Begins at once. */
  constructor(client: RespClient, workload: Workload) {
    this.#client = client;
    this.#workload = workload;
    this.#ended = this.#run();
    // Seen by `stop`; a failure before that must not end the test run.
    this.#ended.catch(() => undefined).finally(() => (this.#hasEnded = true));
  }

  /** Writes acknowledged since the last `mark`. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** It does not write any more: stopped, disconnected, or answered with something that no test provokes. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** The longest time without an acknowledgement since the last `mark`. */
  get longestGapMs(): number {
    return this.#longestGapMs;
  }

  /** Counting and measuring begin anew. */
  mark(): void {
    this.#acknowledged = 0;
    this.#longestGapMs = 0;
  }

  /** Lets the last write come to its end. */
  async stop(): Promise<void> {
    this.#stopping = true;
    try {
      await this.#ended;
    } finally {
      this.#client.close();
    }
  }

  async #run(): Promise<void> {
    while (!this.#stopping && this.#client.isOpen) {
      const outcomes = await this.#workload.step(this.#client);
      const acknowledged = outcomes.filter((outcome) => outcome === "acknowledged").length;
      if (acknowledged === 0) continue;
      const nowMs = performance.now();
      this.#longestGapMs = Math.max(this.#longestGapMs, nowMs - this.#lastAcknowledgedAtMs);
      this.#lastAcknowledgedAtMs = nowMs;
      this.#acknowledged += acknowledged;
    }
  }
}
