import { connect, type Socket } from "node:net";
import { performance } from "node:perf_hooks";

import { LoadError } from "./generator.ts";
import type { SteadyJob, SteadyResult } from "./job.ts";
import { ReplyCounter } from "./reply-counter.ts";

const TICK_MS = 5;
const CONNECT_TIMEOUT_MS = 10_000;
/** What may wait for an answer, in seconds of the rate: a server that is behind is not asked for ever more. */
const OUTSTANDING_SECONDS_MAX = 2;
const DIGITS = 9;

/**
 * Asks at a steady rate, whether the server keeps up or not: what somebody does who means harm. Every request is
 * refused; that is what is measured. Passwords and keys differ from request to request.
 */
export class SteadyGenerator {
  readonly #job: SteadyJob;
  readonly #lanes: { readonly socket: Socket; readonly counter: ReplyCounter; sent: number }[] = [];
  #sent = 0;
  #answered = 0;
  #failure: LoadError | null = null;

  constructor(job: SteadyJob) {
    this.#job = job;
  }

  /** Throws LoadError when a connection breaks or is refused. */
  async run(): Promise<SteadyResult> {
    try {
      for (let index = 0; index < this.#job.connections; index++) await this.#connect();
      const startedMs = performance.now();
      await this.#askUntil(startedMs + this.#job.durationMs);
      const measuredMs = performance.now() - startedMs;
      const errorReplies = this.#lanes.reduce((sum, { counter }) => sum + counter.errorReplies, 0);
      return {
        sentPerSecond: this.#sent / (measuredMs / 1000),
        answeredPerSecond: this.#answered / (measuredMs / 1000),
        errorReplies,
        firstError: this.#lanes.find(({ counter }) => counter.firstError)?.counter.firstError ?? "",
      };
    } finally {
      for (const { socket } of this.#lanes) socket.destroy();
    }
  }

  async #connect(): Promise<void> {
    const { port, login } = this.#job;
    const socket = connect({ host: "127.0.0.1", port, noDelay: true });
    const lane = { socket, counter: new ReplyCounter(), sent: 0 };
    let ready: () => void = () => undefined;
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new LoadError("no connection")), CONNECT_TIMEOUT_MS);
      ready = () => {
        clearTimeout(timer);
        resolve();
      };
      socket.once("connect", () => {
        if (login === undefined) ready();
        else socket.write(request("AUTH", login.user, login.password));
      });
      socket.on("error", (error) => {
        clearTimeout(timer);
        reject(error);
      });
      let isIn = login === undefined;
      socket.on("data", (bytes: Buffer) => {
        const replies = lane.counter.push(bytes, bytes.length);
        if (isIn) this.#answered += replies;
        isIn = true;
        ready();
      });
      socket.on("close", () => (this.#failure ??= new LoadError("a connection was closed")));
    });
    if (lane.counter.errorReplies > 0) throw new LoadError(`AUTH: ${lane.counter.firstError}`);
    this.#lanes.push(lane);
  }

  #askUntil(endMs: number): Promise<void> {
    const { perSecond } = this.#job;
    const startedMs = performance.now();
    return new Promise((resolve, reject) => {
      const timer = setInterval(() => {
        const nowMs = performance.now();
        if (this.#failure !== null || nowMs >= endMs) {
          clearInterval(timer);
          if (this.#failure === null) resolve();
          else reject(this.#failure);
          return;
        }
        const due = ((nowMs - startedMs) / 1000) * perSecond;
        const room = this.#answered + OUTSTANDING_SECONDS_MAX * perSecond;
        this.#send(Math.floor(Math.min(due, room)) - this.#sent);
      }, TICK_MS);
    });
  }

  /** Over all connections in turn, one write to each. */
  #send(count: number): void {
    const pieces = this.#lanes.map(() => "");
    for (let left = count; left > 0; left--) {
      const number = this.#sent++;
      pieces[number % pieces.length] += this.#request(number);
    }
    for (const [at, piece] of pieces.entries()) {
      if (piece !== "") this.#lanes[at].socket.write(piece, "latin1");
    }
  }

  #request(number: number): string {
    const digits = String(number).padStart(DIGITS, "0");
    return this.#job.kind === "denied"
      ? request("GET", `secret:${digits}`)
      : request("AUTH", "guessed", `guess${digits}`);
  }
}

function request(...words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join("")}`;
}
