/** What becomes of the links between nodes. */
import type { SimNode } from "../sim-node.ts";
import { CALM_NETWORK, type NetworkFaults } from "../virtual-network.ts";
import type { FaultScene } from "./fault-scene.ts";

export class LinkFaults {
  readonly #scene: FaultScene;
  /** How the network is when nothing is wrong with it: in one rack, or far apart. */
  readonly #usual: NetworkFaults;

  constructor(scene: FaultScene, shortReigns: boolean) {
    this.#scene = scene;
    const { prng, network } = scene;
    this.#usual = {
      ...CALM_NETWORK,
      reorders: prng.chance(0.3),
      latencyMs: { low: 0.1, high: shortReigns ? 40 : prng.pick([0.5, 0.5, 10, 60]) },
    };
    network.faults = this.#usual;
  }

  /** One node is cut off. */
  isolate(alone: SimNode): void {
    this.#scene.count("partition");
    for (const other of this.#scene.nodes) if (other !== alone) this.#cutBoth(alone, other);
    this.#healLater();
  }

  /** In two, each node on a side of its own choice. */
  split(): void {
    this.#scene.count("partition into two sides");
    const sides = new Map(this.#scene.nodes.map((node) => [node, this.#scene.prng.chance(0.5)]));
    for (const [left, right] of this.#pairs()) {
      if (sides.get(left) !== sides.get(right)) this.#cutBoth(left, right);
    }
    this.#healLater();
  }

  /** Two halves that both reach one node and not each other (R34). */
  bridge(middle: SimNode): void {
    const others = this.#scene.nodes.filter((node) => node !== middle);
    if (others.length < 2) return;
    this.#scene.count("bridge");
    const sides = new Map(others.map((node, at) => [node, at % 2 === 0]));
    for (const [left, right] of this.#pairs()) {
      const isCut = left !== middle && right !== middle && sides.get(left) !== sides.get(right);
      if (isCut) this.#cutBoth(left, right);
    }
    this.#healLater();
  }

  /** Any set of directed cuts. */
  tangle(): void {
    this.#scene.count("tangle of one-way cuts");
    for (const [left, right] of this.#pairs()) {
      if (this.#scene.prng.chance(0.35)) this.#cut(left, right);
      if (this.#scene.prng.chance(0.35)) this.#cut(right, left);
    }
    this.#healLater();
  }

  oneWayCut(node: SimNode): void {
    const others = this.#scene.nodes.filter((candidate) => candidate !== node);
    if (others.length === 0) return;
    this.#scene.count("one-way cut");
    this.#cut(node, this.#scene.prng.pick(others));
    this.#healLater();
  }

  reset(node: SimNode): void {
    this.#scene.count("connection reset");
    for (const other of this.#scene.nodes) {
      if (other !== node && this.#scene.prng.chance(0.7))
        this.#scene.network.reset(node.member.id, other.member.id);
    }
  }

  /** Some of it, or all. */
  badNetwork(): void {
    const { prng, network } = this.#scene;
    const faults = {
      lossRate: prng.pick([0, 0.05, 0.3]),
      repeatRate: prng.pick([0, 0.1, 0.5]),
      lateRate: prng.pick([0, 0.05, 0.3]),
      reorders: prng.chance(0.5),
      latencyMs: { low: 0.1, high: prng.pick([0.5, 20, 100]) },
    };
    if (faults.lossRate > 0) this.#scene.count("loss");
    if (faults.repeatRate > 0) this.#scene.count("duplicates");
    if (faults.lateRate > 0 || faults.latencyMs.high > 1) this.#scene.count("delay");
    if (faults.reorders) this.#scene.count("reordering");
    network.faults = faults;
    this.#scene.later(4000, () => {
      network.faults = this.#usual;
    });
  }

  heal(): void {
    const { network, abandoned } = this.#scene;
    network.heal();
    network.faults = CALM_NETWORK;
    for (const [left, right] of this.#pairs()) {
      if (abandoned.has(left) || abandoned.has(right)) this.#cutBoth(left, right);
      else network.reset(left.member.id, right.member.id);
    }
  }

  #cut(from: SimNode, to: SimNode): void {
    this.#scene.network.cut(from.member.id, to.member.id);
  }

  #cutBoth(left: SimNode, right: SimNode): void {
    this.#cut(left, right);
    this.#cut(right, left);
  }

  #pairs(): (readonly [SimNode, SimNode])[] {
    return this.#scene.nodes.flatMap((left, at) => {
      return this.#scene.nodes.slice(at + 1).map((right) => [left, right] as const);
    });
  }

  #healLater(): void {
    const { prng, network } = this.#scene;
    this.#scene.later(prng.pick([300, 3000, 8000]), () => network.heal());
  }
}
