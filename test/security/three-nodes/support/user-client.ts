/**
 * A client of one user on one node that never gives up: it connects, logs in and sends batch after batch, and begins
 * anew when its connection ends. Everything it sends and is told goes into the ledger.
 */
import { pause } from "../../../e2e/harness/cluster.ts";
import { RespClient, RespError, type RespValue } from "../../../e2e/harness/resp-client.ts";
import type { Command, Ledger, Sent } from "./ledger.ts";

/** Before the next attempt to connect or to log in. */
const RETRY_MS = 5;

export interface Credentials {
  readonly user: string;
  readonly password: string;
}

export interface UserClientOptions {
  readonly port: number;
  readonly credentials: Credentials;
  readonly ledger: Ledger;
  /** Tells it from others in reports. */
  readonly name: string;
  /** Begins the keys of its writes, which nobody else writes. */
  readonly keyPrefix: string;
  /** What one batch consists of, in one write to the socket. */
  readonly batch: readonly ("read" | "write")[];
  /** Called when one of its counts has changed. */
  readonly onProgress: () => void;
}

export class UserClient {
  readonly #options: UserClientOptions;
  readonly #running: Promise<void>;
  #connection: RespClient | null = null;
  #isLoggedIn = false;
  #state: "running" | "paused" | "ending" = "running";
  #wake: (() => void) | null = null;
  #onPaused: (() => void)[] = [];
  #writes = 0;
  #succeeded = 0;
  #refused = 0;

  /** Begins at once. */
  constructor(options: UserClientOptions) {
    this.#options = options;
    this.#running = this.#run();
  }

  get name(): string {
    return this.#options.name;
  }

  /** Batches that succeeded as a whole since the last `mark`. */
  get succeeded(): number {
    return this.#succeeded;
  }

  /** Commands and logins that were sent after the revocation and refused, since the last `mark`. */
  get refused(): number {
    return this.#refused;
  }

  mark(): void {
    this.#succeeded = 0;
    this.#refused = 0;
  }

  /** Sends nothing more; resolves when everything is answered or lost. */
  async pause(): Promise<void> {
    if (this.#state === "running") this.#state = "paused";
    if (this.#wake !== null) return;
    await new Promise<void>((resolve) => this.#onPaused.push(resolve));
  }

  resume(): void {
    this.#state = "running";
    this.#wake?.();
  }

  /** Gives up its connection: what is outstanding is lost. */
  disconnect(): void {
    this.#connection?.close();
  }

  async end(): Promise<void> {
    this.#state = "ending";
    this.#wake?.();
    this.disconnect();
    await this.#running;
  }

  async #run(): Promise<void> {
    for (;;) {
      if (this.#state === "paused") await this.#sleep();
      if (this.#state === "ending") return this.#connection?.close();
      if (this.#connection === null || !this.#connection.isOpen) await this.#connect();
      else if (this.#isLoggedIn) await this.#sendBatch(this.#connection);
      else await this.#logIn(this.#connection);
    }
  }

  async #sleep(): Promise<void> {
    const awake = new Promise<void>((resolve) => (this.#wake = resolve));
    for (const resolve of this.#onPaused.splice(0)) resolve();
    await awake;
    this.#wake = null;
  }

  async #connect(): Promise<void> {
    this.#isLoggedIn = false;
    this.#connection = await RespClient.connect(this.#options.port).catch(() => null);
    if (this.#connection === null) await pause(RETRY_MS);
  }

  async #logIn(connection: RespClient): Promise<void> {
    const { user, password } = this.#options.credentials;
    const answer = connection.call("AUTH", user, password);
    this.#isLoggedIn = await this.#settle(this.#command("login", null), answer);
    if (!this.#isLoggedIn) await pause(RETRY_MS);
  }

  async #sendBatch(connection: RespClient): Promise<void> {
    const { batch, keyPrefix } = this.#options;
    const requests = batch.map((sent) => {
      if (sent === "read") return { sent, key: null, words: ["GET", `${keyPrefix}:0`] };
      const key = `${keyPrefix}:${this.#writes++}`;
      return { sent, key, words: ["SET", key, "1"] };
    });
    const answers = connection.pipeline(requests.map(({ words }) => words));
    const commands = requests.map(({ sent, key }) => this.#command(sent, key));
    const successes = await Promise.all(
      commands.map((command, at) => this.#settle(command, answers[at])),
    );
    if (successes.every(Boolean)) {
      this.#succeeded++;
      this.#options.onProgress();
    }
    // A node that is down or refuses everything is not asked in a busy loop.
    if (!successes.some(Boolean)) await pause(RETRY_MS);
  }

  #command(sent: Sent, key: string | null): Command {
    return { client: this.name, sent, sentAtMs: performance.now(), key };
  }

  /** Takes down what came of it; whether it succeeded. */
  async #settle(command: Command, answer: Promise<RespValue>): Promise<boolean> {
    const { ledger, onProgress } = this.#options;
    ledger.wasSent(command);
    let reply: RespValue;
    try {
      reply = await answer;
    } catch {
      ledger.wasLost(command);
      return false;
    }
    if (!(reply instanceof RespError)) {
      ledger.hasSucceeded(command);
      return true;
    }
    if (ledger.wasRefused(command, reply.text)) {
      this.#refused++;
      onProgress();
    }
    return false;
  }
}
