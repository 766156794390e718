/**
 * Asks the cluster to compare the states of its members while everything goes on (R32). A node that is told that it differs stops,
 * and that is a problem of the run: nothing here makes states differ.
 */
import { askNode } from "./membership/operator.ts";
import type { Prng } from "./prng.ts";
import type { Scheduler } from "./scheduler.ts";
import type { SimNode } from "./sim-node.ts";

const PAUSE_MS_MAX = 6000;

export interface StateAskerOptions {
  readonly nodes: readonly SimNode[];
  readonly scheduler: Scheduler;
  readonly prng: Prng;
  readonly count: (kind: string) => void;
  readonly trace: (line: string) => void;
}

export class StateAsker {
  readonly #options: StateAskerOptions;
  #isStopped = false;

  constructor(options: StateAskerOptions) {
    this.#options = options;
  }

  start(): void {
    const { scheduler, prng } = this.#options;
    scheduler.after(prng.next() * PAUSE_MS_MAX, () => {
      if (this.#isStopped) return;
      this.#ask();
      this.start();
    });
  }

  stop(): void {
    this.#isStopped = true;
  }

  #ask(): void {
    const { nodes, prng, count, trace } = this.#options;
    const node = prng.pick(nodes);
    if (!node.isUp || node.isPaused) return;
    askNode(node, ["FERRITE.STATE", "CHECK"], this.#options, (reply) => {
      if (reply !== null && reply.kind !== "error") count("states compared");
      trace(`${node.label} compares states: ${JSON.stringify(reply)}`);
    });
  }
}
