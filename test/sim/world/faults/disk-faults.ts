/** Disks that are full, slow, hang, or fail. */
import type { SimNode } from "../sim-node.ts";
import type { FaultScene } from "./fault-scene.ts";

export class DiskFaults {
  readonly #scene: FaultScene;

  constructor(scene: FaultScene) {
    this.#scene = scene;
  }

  full(node: SimNode): void {
    this.#scene.count("full disk");
    node.disk.isFull = true;
    this.#scene.until(this.#scene.prng.pick([500, 4000, 15_000]), () => {
      node.disk.isFull = false;
    });
  }

  slow(node: SimNode): void {
    this.#scene.count("slow disk");
    node.disk.slowness = this.#scene.prng.pick([10, 100, 1000]);
    this.#scene.until(3000, () => this.#wellAgain(node));
  }

  /** Nothing fails and nothing ends (R50). */
  hang(node: SimNode): void {
    this.#scene.count("hung disk");
    node.disk.slowness = Infinity;
    this.#scene.until(this.#scene.prng.pick([500, 3000, 10_000]), () => this.#wellAgain(node));
  }

  #wellAgain(node: SimNode): void {
    node.disk.slowness = 1;
  }

  /** One operation fails. What it is about is not written, or not for sure. */
  fail(node: SimNode): void {
    if (!node.isUp) return;
    switch (this.#scene.prng.between(0, 5)) {
      case 0:
      case 1:
        this.#scene.count("failed sync");
        node.disk.failNextSync = true;
        return;
      case 2:
        this.#scene.count("failed log write");
        node.disk.failNextWriteTo = "log/";
        return;
      default:
        this.#scene.count("failed snapshot write");
        node.disk.failNextWriteTo = "snapshots/";
    }
  }

  /** One of the two syncs fails with which a file's key is wrapped anew. */
  failRewrap(node: SimNode): void {
    this.#scene.count("failed sync while a key is wrapped anew");
    node.disk.failNextSync = true;
    node.disk.syncsBeforeFailure = this.#scene.prng.between(0, 2);
  }

  heal(): void {
    for (const node of this.#scene.nodes) {
      if (this.#scene.abandoned.has(node)) continue;
      node.disk.isFull = false;
      node.disk.slowness = 1;
      node.disk.failNextSync = false;
      node.disk.syncsBeforeFailure = 0;
      node.disk.failNextWriteTo = null;
    }
  }
}
