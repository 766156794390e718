/** One node of a development cluster: a child process that runs `ferrite start`. */
import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import type { FromNode, NodeStatus, ToNode } from "../start/supervision.ts";
import type { World } from "../world.ts";
import type { PlannedNode } from "./plan.ts";

export interface ChildNodeEvents {
  onWarning(node: ChildNode, line: string): void;
  onExit(node: ChildNode): void;
}

/** A node that does not answer in this time is busy with something long. */
const STATUS_TIMEOUT_MS = 1000;

export class ChildNode {
  readonly plan: PlannedNode;
  /** Resolves when the node serves or has ended, whichever is first. */
  readonly startedOrExited: Promise<void>;
  readonly exited: Promise<void>;
  started = false;
  /** How it ended ("exit status 1", "signal SIGKILL"), or null while it runs. */
  ending: string | null = null;
  readonly #process: ChildProcess;
  readonly #events: ChildNodeEvents;
  #statusWaiters: ((status: NodeStatus | null) => void)[] = [];

  /** Starts the process. Its output goes straight into its log file, which outlives this process. */
  constructor(plan: PlannedNode, world: World, events: ChildNodeEvents) {
    this.plan = plan;
    this.#events = events;
    const log = openSync(plan.logFile, "a", 0o600);
    const { executable, args } = world.self;
    this.#process = spawn(
      executable,
      [...args, "start", "--config", plan.configFile, "--supervised"],
      {
        stdio: ["ignore", log, log, "ipc"],
        env: nodeEnvironment(world.environment),
        cwd: world.workingDirectory,
      },
    );
    closeSync(log);
    const started = new Promise<void>((resolve) => {
      this.#process.on("message", (message) => this.#receive(message as FromNode, resolve));
    });
    this.exited = new Promise((resolve) => {
      this.#process.once("error", (error) => this.#end(error.message, resolve));
      this.#process.once("exit", (code, signal) => {
        this.#end(signal === null ? `exit status ${code}` : `signal ${signal}`, resolve);
      });
    });
    this.startedOrExited = Promise.race([started, this.exited]);
  }

  get isRunning(): boolean {
    return this.ending === null;
  }

  /** What the node says of itself, or null when it does not answer. */
  status(): Promise<NodeStatus | null> {
    if (!this.isRunning) return Promise.resolve(null);
    return new Promise((resolve) => {
      const timer = setTimeout(() => answer(null), STATUS_TIMEOUT_MS);
      const answer = (status: NodeStatus | null): void => {
        clearTimeout(timer);
        this.#statusWaiters = this.#statusWaiters.filter((waiter) => waiter !== answer);
        resolve(status);
      };
      this.#statusWaiters.push(answer);
      this.#send({ kind: "askStatus" });
    });
  }

  /** Asks the node to stop. */
  requestStop(): void {
    this.#send({ kind: "stop" });
    // A node that has not come as far as listening to messages still hears signals.
    if (!this.started) this.#process.kill("SIGTERM");
  }

  /** Ends the process at once. */
  kill(): void {
    this.#process.kill("SIGKILL");
  }

  #send(message: ToNode): void {
    // A channel that broke means that the node ends; its exit is reported by itself.
    if (this.#process.connected) this.#process.send(message, () => undefined);
  }

  #receive(message: FromNode, onStarted: () => void): void {
    switch (message.kind) {
      case "started":
        this.started = true;
        onStarted();
        return;
      case "status":
        this.#statusWaiters[0]?.(message.status);
        return;
      case "warning":
        this.#events.onWarning(this, message.line);
        return;
    }
  }

  #end(ending: string, resolve: () => void): void {
    if (this.ending !== null) return;
    this.ending = ending;
    for (const waiter of this.#statusWaiters) waiter(null);
    resolve();
    this.#events.onExit(this);
  }
}

/** Everything a node of ours is told stands in its file: settings of the surroundings would be meant for another node. */
function nodeEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(environment).filter(
      ([name]) => !name.startsWith("FERRITE_") && !/^TLS_(CERT|KEY|CA)_FILE$/.test(name),
    ),
  );
}
