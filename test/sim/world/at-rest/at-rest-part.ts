/** What the operators of a simulated cluster do with encryption at rest, and when, by the seed's choice. */
import { NonceUsedOnce } from "../../invariants/nonce-used-once.ts";
import type { Prng } from "../prng.ts";
import type { Scheduler } from "../scheduler.ts";
import type { SimNode } from "../sim-node.ts";

/** Nothing is encrypted; all is from the start; it is switched on while the cluster runs, node by node. */
type Mode = "off" | "on" | "switched on";

/** A switch waits at most so long for its turn. */
const SWITCH_WITHIN_MS = 6000;
/** A node that did not come up with encryption is restarted again after this. */
const SWITCH_AGAIN_MS = 300;

export class AtRestPart {
  readonly #nodes: readonly SimNode[];
  readonly #scheduler: Scheduler;
  readonly #prng: Prng;
  readonly #restart: (node: SimNode) => void;
  readonly #rotated: (node: SimNode) => void;
  readonly #count: (kind: string) => void;
  readonly #problem: (sentence: string) => void;
  readonly #rewraps: (node: SimNode) => void;
  readonly #mode: Mode;
  /** The operator has switched it on there. */
  readonly #isSwitched: Set<SimNode> = new Set();
  readonly #rotationMeanMs: number;
  #isHealed = false;
  #isStopped = false;

  constructor(options: {
    readonly nodes: readonly SimNode[];
    readonly scheduler: Scheduler;
    /** Nobody else's: clusters without encryption run as if this were not there. */
    readonly prng: Prng;
    /** Stops the node in order or not, and has it started again. */
    readonly restart: (node: SimNode) => void;
    readonly rotated: (node: SimNode) => void;
    readonly rewraps: (node: SimNode) => void;
    readonly count: (kind: string) => void;
    /** A promise was broken. */
    readonly problem: (sentence: string) => void;
  }) {
    this.#nodes = options.nodes;
    this.#scheduler = options.scheduler;
    this.#prng = options.prng;
    this.#restart = (node) => options.restart(node);
    this.#rotated = (node) => options.rotated(node);
    this.#count = (kind) => options.count(kind);
    this.#mode = this.#prng.pick(["off", "off", "off", "on", "on", "switched on"]);
    this.#rotationMeanMs = this.#prng.pick([800, 3000, 10_000]);
    this.#problem = (sentence) => options.problem(sentence);
    this.#rewraps = (node) => options.rewraps(node);
    for (const node of this.#nodes) this.equip(node);
  }

  /** A node has another disk, or the same one under another id. */
  equip(node: SimNode): void {
    if (this.#mode === "off") return;
    const nonces = new NonceUsedOnce(node.label, this.#problem);
    node.disk.onWrite = (...write) => nonces.written(...write);
    node.atRest.isWanted = this.#mode === "on" || this.#isSwitched.has(node);
    node.atRest.onRewrap = () => this.#rewraps(node);
    node.atRest.onSettled = () => this.#count("all files under the newest key");
  }

  start(): void {
    if (this.#mode === "off") return;
    this.#rotateLater();
    if (this.#mode !== "switched on") return;
    for (const node of this.#nodes) {
      this.#scheduler.after(this.#prng.next() * SWITCH_WITHIN_MS, () => {
        if (this.#isHealed) return;
        this.#isSwitched.add(node);
        node.atRest.isWanted = true;
        this.#switchOn(node);
      });
    }
  }

  /** The faults are over: no node is restarted any more. */
  heal(): void {
    this.#isHealed = true;
  }

  stop(): void {
    this.#isStopped = true;
  }

  /** Every file of every node that has keys is under the newest one. */
  get isSettled(): boolean {
    return this.#nodes.every(({ atRest }) => atRest.isSettled);
  }

  #switchOn(node: SimNode): void {
    if (this.#isHealed) return;
    if (node.atRest.keys() !== null) {
      this.#count("encryption switched on");
      return;
    }
    this.#restart(node);
    this.#scheduler.after(SWITCH_AGAIN_MS, () => this.#switchOn(node));
  }

  #rotateLater(): void {
    this.#scheduler.after(this.#prng.next() * 2 * this.#rotationMeanMs, () => {
      if (this.#isStopped) return;
      const node = this.#prng.pick(this.#nodes);
      if (!node.isPaused && node.atRest.rotate()) {
        this.#count("node key rotated");
        this.#rotated(node);
      }
      this.#rotateLater();
    });
  }
}
