import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";

import { BenchError } from "../errors.ts";

const STOP_TIMEOUT_MS = 20_000;
const LOG_TAIL_CHARACTERS = 2000;

/** A server that we started and, whatever happens, end again. */
export class ServerProcess {
  readonly #child: ChildProcess;
  readonly #logFile: string;
  readonly #name: string;
  readonly #exited: Promise<void>;
  #stopping = false;

  /** Starts `command`; what it prints goes to `logFile`. */
  constructor(name: string, command: string, args: readonly string[], logFile: string) {
    this.#name = name;
    this.#logFile = logFile;
    const log = openSync(logFile, "a", 0o600);
    this.#child = spawn(command, args, { stdio: ["ignore", log, log] });
    closeSync(log);
    this.#exited = new Promise((resolve) => {
      this.#child.once("error", () => resolve());
      this.#child.once("exit", () => resolve());
    });
  }

  /** Throws BenchError with the end of its log if the server ended by itself. */
  assertRunning(): void {
    const { exitCode, signalCode, pid } = this.#child;
    if (!this.#stopping && (pid === undefined || exitCode !== null || signalCode !== null)) {
      const tail = readFileSync(this.#logFile, "utf8").slice(-LOG_TAIL_CHARACTERS);
      throw new BenchError(`${this.#name} ended (${exitCode ?? signalCode}):\n${tail}`);
    }
  }

  /** Asks it to stop, and kills it if it does not. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#child.kill("SIGTERM");
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), STOP_TIMEOUT_MS);
    await this.#exited;
    clearTimeout(timer);
  }
}
