/** What all kinds of faults share: whom they strike, and how it is counted. */
import type { Prng } from "../prng.ts";
import type { Scheduler } from "../scheduler.ts";
import type { SimNode } from "../sim-node.ts";
import type { VirtualNetwork } from "../virtual-network.ts";

export interface FaultSceneOptions {
  /** Of which some may come and go. */
  readonly nodes: readonly SimNode[];
  readonly network: VirtualNetwork;
  readonly scheduler: Scheduler;
  readonly prng: Prng;
  /** Its clients lose their connections. */
  readonly killed: (node: SimNode) => void;
  readonly note: (line: string) => void;
  /** Faults that may strike at all; Infinity: as many as come. */
  readonly strikesMax: number;
}

export class FaultScene {
  /** Every kind is counted, so that a run shows what it has really done. */
  readonly counts: Map<string, number> = new Map();
  readonly nodes: readonly SimNode[];
  readonly network: VirtualNetwork;
  readonly scheduler: Scheduler;
  readonly prng: Prng;
  readonly killed: (node: SimNode) => void;
  readonly #note: (line: string) => void;
  /** No fault begins any more. */
  isHealed = false;
  /** Nodes that stay as they are when the faults end: a minority. */
  readonly abandoned: Set<SimNode> = new Set();

  constructor(options: FaultSceneOptions) {
    this.nodes = options.nodes;
    this.network = options.network;
    this.scheduler = options.scheduler;
    this.prng = options.prng;
    this.killed = (node) => options.killed(node);
    this.#note = (line) => options.note(line);
  }

  count(kind: string): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    this.#note(`fault: ${kind}`);
  }

  note(line: string): void {
    this.#note(line);
  }

  /** Starts a node again. A disk that lied until the power went is not trusted any more: its operator puts in another one. */
  startNode(node: SimNode): void {
    if (node.disk.hasBrokenPromises) {
      this.count("power cut of a disk that lied");
      node.replaceDisk();
    }
    node.start();
  }

  /** After a while of up to `withinMs`, unless the faults are over. */
  later(withinMs: number, run: () => void): void {
    this.scheduler.after(this.prng.next() * withinMs, () => {
      if (!this.isHealed) run();
    });
  }

  /** The same, in this life of the node. */
  inLife(node: SimNode, withinMs: number, run: () => void): void {
    const { life } = node;
    this.later(withinMs, () => {
      if (node.life === life && node.isUp) run();
    });
  }

  /** Ends something that has begun, whatever else is over; at most once. */
  until(withinMs: number, run: () => void): void {
    this.scheduler.after(this.prng.next() * withinMs, run);
  }
}
