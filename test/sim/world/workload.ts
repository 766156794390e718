/**
 * Writes beside the clients' own, so that apply has something that can go wrong in it: expiry, counters, renames, big values. Nobody
 * waits for them; the nodes' states are compared at the end.
 */
import { RespReply, type WriteClient } from "@ferrite/node/simulation";
import type { Prng } from "./prng.ts";
import type { Scheduler } from "./scheduler.ts";
import { commandBytes } from "./sim-client.ts";
import type { SimNode } from "./sim-node.ts";

class Nobody implements WriteClient {
  readonly #reply: RespReply = new RespReply();

  replyForWrite(): RespReply {
    return this.#reply;
  }

  writeApplied(): void {
    this.#reply.discard();
  }

  writeFailed(): void {
    this.#reply.discard();
  }
}

const PAUSE_MS_MAX = 40;
const TRICKLE_MS_MAX = 600;

export class Workload {
  readonly #nodes: readonly SimNode[];
  readonly #scheduler: Scheduler;
  readonly #prng: Prng;
  #stopped = false;
  #pauseMsMax = PAUSE_MS_MAX;

  constructor(nodes: readonly SimNode[], scheduler: Scheduler, prng: Prng) {
    this.#nodes = nodes;
    this.#scheduler = scheduler;
    this.#prng = prng;
  }

  start(): void {
    this.#scheduler.after(this.#prng.next() * this.#pauseMsMax, () => {
      if (this.#stopped) return;
      this.#write();
      this.start();
    });
  }

  /** Only a write now and then: a log that does not grow is not cut either. */
  trickle(): void {
    this.#pauseMsMax = TRICKLE_MS_MAX;
  }

  stop(): void {
    this.#stopped = true;
  }

  #write(): void {
    const node = this.#prng.pick(this.#nodes);
    if (!node.isUp || node.isPaused) return;
    const bytes = commandBytes(...this.#command());
    node.replica!.submit(bytes, 0, bytes.length, new Nobody(), 0);
  }

  #command(): string[] {
    const key = `noise${this.#prng.between(0, 20)}`;
    switch (this.#prng.between(0, 7)) {
      case 0:
        return [
          "SET",
          key,
          "x".repeat(this.#prng.between(0, 300)),
          "PX",
          String(this.#prng.between(1, 3000)),
        ];
      case 1:
        return ["INCRBY", `counter${this.#prng.between(0, 5)}`, "3"];
      case 2:
        return ["RENAME", key, `noise${this.#prng.between(0, 20)}`];
      case 3:
        return ["DEL", key, `noise${this.#prng.between(0, 20)}`];
      case 4:
        return ["PEXPIRE", key, String(this.#prng.between(1, 2000))];
      case 5:
        return ["COPY", key, `noise${this.#prng.between(0, 20)}`, "REPLACE"];
      default:
        return ["SETRANGE", key, String(this.#prng.between(0, 200)), "abc"];
    }
  }
}
