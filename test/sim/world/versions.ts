/** A cluster whose nodes run different versions: upgraded one by one, while everything else goes on (O13). */
import { FEATURE_LEVEL_MAX } from "@ferrite/node/simulation";
import type { Prng } from "./prng.ts";
import type { Scheduler } from "./scheduler.ts";
import type { SimNode } from "./sim-node.ts";

const UPGRADE_WITHIN_MS = 12_000;

export class Versions {
  readonly #levels: Map<string, number> = new Map();
  readonly #scheduler: Scheduler;
  readonly #prng: Prng;
  readonly #restart: (node: SimNode) => void;
  readonly #count: (kind: string) => void;
  readonly #nodes: readonly SimNode[];
  #isHealed = false;

  constructor(options: {
    readonly nodes: readonly SimNode[];
    readonly isMixed: boolean;
    readonly scheduler: Scheduler;
    readonly prng: Prng;
    readonly restart: (node: SimNode) => void;
    readonly count: (kind: string) => void;
  }) {
    this.#nodes = options.nodes;
    this.#scheduler = options.scheduler;
    this.#prng = options.prng;
    this.#restart = (node) => options.restart(node);
    this.#count = (kind) => options.count(kind);
    if (!options.isMixed) return;
    for (const { member } of options.nodes) {
      this.#levels.set(
        member.name,
        this.#prng.chance(0.3) ? FEATURE_LEVEL_MAX : FEATURE_LEVEL_MAX - 1,
      );
    }
  }

  /** Of the version that this node is started with next. */
  levelOf(name: string): number {
    return this.#levels.get(name) ?? FEATURE_LEVEL_MAX;
  }

  start(): void {
    for (const node of this.#nodes) {
      if (this.levelOf(node.member.name) === FEATURE_LEVEL_MAX) continue;
      this.#scheduler.after(this.#prng.next() * UPGRADE_WITHIN_MS, () => {
        if (this.#isHealed) return;
        this.#upgrade(node);
      });
    }
  }

  /** No node is restarted any more. */
  stop(): void {
    this.#isHealed = true;
  }

  /** The rest is upgraded now: who asks for members needs it. */
  finish(): void {
    for (const node of this.#nodes) {
      if (this.levelOf(node.member.name) < FEATURE_LEVEL_MAX) this.#upgrade(node);
    }
  }

  #upgrade(node: SimNode): void {
    this.#count("mixed versions: a node is upgraded");
    this.#levels.set(node.member.name, FEATURE_LEVEL_MAX);
    this.#restart(node);
  }
}
