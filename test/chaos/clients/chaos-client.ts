/**
 * One client: one connection at a time to one node, one request at a time, in a history. It goes on whatever happens, with
 * a new connection when it lost the last one; what it had asked for then has an unknown outcome.
 */
import { pause } from "../../e2e/harness/cluster.ts";
import {
  ConnectionLost,
  RespError,
  type RespClient,
  type RespValue,
} from "../../e2e/harness/resp-client.ts";
import { outcomeOf, settled, type Outcome } from "../../e2e/load/outcome.ts";
import type { Prng } from "../../sim/world/prng.ts";
import type { History } from "./history.ts";
import { isWrite, type Operation, type OperationOutcome } from "./operation.ts";
import type { Request, Role } from "./workloads.ts";

/** Longer than a node takes to say that it does not know (proposal-timeout-ms of a run). */
const REPLY_TIMEOUT_MS = 20_000;
const RECONNECT_MIN_MS = 20;
const RECONNECT_MAX_MS = 200;
const WAIT_TIMEOUT_MS = 500;

const OUTCOMES: Readonly<Record<Outcome, OperationOutcome>> = {
  acknowledged: "ok",
  refused: "fail",
  unknown: "unknown",
};

export interface ClientPlan {
  readonly number: number;
  readonly node: number;
  readonly role: Role;
  /** Between a reply and the next request, drawn up to twice as much. */
  readonly thinkMs: number;
}

export interface ClientWorld {
  connect(node: number): Promise<RespClient>;
  readonly history: History;
  readonly random: Prng;
  /** A number for each connection of any client. */
  nextConnection(): number;
  readonly nodes: number;
}

export class ChaosClient {
  readonly plan: ClientPlan;
  /** When writes were acknowledged, in milliseconds of the history. */
  readonly acknowledgedMs: number[] = [];
  /** What a client should never be told, as sentences. */
  readonly violations: string[] = [];
  readonly #world: ClientWorld;
  readonly #random: Prng;
  readonly #ended: Promise<void>;
  #client: RespClient | null = null;
  #stopping = false;

  /** Begins at once. */
  constructor(plan: ClientPlan, world: ClientWorld) {
    this.plan = plan;
    this.#world = world;
    this.#random = world.random.fork();
    this.#ended = this.#run();
  }

  /** Lets the last request come to its end. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#ended;
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      this.#client = await this.#world.connect(this.plan.node).catch(() => null);
      if (this.#client === null) await pause(this.#reconnectMs());
      else await this.#use(this.#client);
    }
  }

  async #use(client: RespClient): Promise<void> {
    const connection = this.#world.nextConnection();
    try {
      const agreed = await inTime(client.call("FERRITE.CONSISTENCY", this.plan.role.consistency));
      // A node that is only just there does not know yet who may ask.
      if (agreed !== "OK") return await pause(this.#reconnectMs());
      while (client.isOpen && !this.#stopping) {
        await this.#ask(client, connection, this.plan.role.next(this.#random));
        await pause(this.#random.next() * 2 * this.plan.thinkMs);
      }
    } finally {
      client.close();
    }
  }

  async #ask(client: RespClient, connection: number, request: Request): Promise<void> {
    const { history } = this.#world;
    const { model, key, call } = request;
    const { node, role, number } = this.plan;
    const operation = history.called({
      client: number,
      connection,
      node,
      consistency: role.consistency,
      model,
      key,
      call,
    });
    const reply = await inTime(client.call(...request.words));
    this.#note(operation, reply);
    // Nobody waits for an answer any more: what comes later must not be taken for the next one's.
    if (reply instanceof ConnectionLost) client.close();
    else if (operation.outcome === "ok") await this.#wait(client, request);
  }

  #note(operation: Operation, reply: RespValue | ConnectionLost): void {
    const { history } = this.#world;
    const told = this.#outcome(operation, reply);
    // A read that told nothing has no effect that anybody could see.
    const outcome = told === "unknown" && !isWrite(operation) ? "fail" : told;
    const result = typeof reply === "string" || typeof reply === "number" ? reply : null;
    history.returned(operation, outcome, result);
    if (outcome === "ok" && isWrite(operation)) this.acknowledgedMs.push(history.nowMs());
  }

  #outcome(operation: Operation, reply: RespValue | ConnectionLost): OperationOutcome {
    try {
      return OUTCOMES[outcomeOf(reply)];
    } catch (error) {
      const text = (error as Error).message;
      this.violations.push(`client ${this.plan.number}, ${operation.key}: ${text}`);
      return "unknown";
    }
  }

  /** WAIT says how many others have the write; it can not be more than there are. */
  async #wait(client: RespClient, { waitFor, key }: Request): Promise<void> {
    if (waitFor === undefined) return;
    const reply = await inTime(client.call("WAIT", String(waitFor), String(WAIT_TIMEOUT_MS)));
    if (reply instanceof ConnectionLost) return client.close();
    if (reply instanceof RespError) return;
    const copies = Number(reply);
    if (copies >= 0 && copies < this.#world.nodes) return;
    this.violations.push(`WAIT behind ${key} says ${copies} of ${this.#world.nodes - 1} others`);
  }

  #reconnectMs(): number {
    return this.#random.between(RECONNECT_MIN_MS, RECONNECT_MAX_MS);
  }
}

/** A reply that does not come in time is lost, as if the connection were. */
async function inTime(answer: Promise<RespValue>): Promise<RespValue | ConnectionLost> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<ConnectionLost>((resolve) => {
    timer = setTimeout(() => resolve(new ConnectionLost("no reply in time")), REPLY_TIMEOUT_MS);
  });
  const first = await Promise.race([settled(answer), late]);
  clearTimeout(timer);
  return first;
}
