/** Nodes that die, are stopped, stand still, and come back. */
import type { PeerPayload } from "@ferrite/node/simulation";
import type { SimNode } from "../sim-node.ts";
import type { FaultScene } from "./fault-scene.ts";

/** Deaths in a row of a node that does not get to its feet. */
const LOOP_DEATHS_MAX = 8;

export class ProcessFaults {
  readonly #scene: FaultScene;
  /** How often a node dies right after it has promised its vote. */
  readonly #deathAfterVote: number;
  /** How often a leader dies before it has got far. */
  readonly #deathAfterElection: number;
  /** Deaths that are still to come of nodes in a crash loop. */
  readonly #loops: Map<SimNode, number> = new Map();

  constructor(scene: FaultScene, shortReigns: boolean) {
    this.#scene = scene;
    this.#deathAfterElection = shortReigns ? 0.9 : scene.prng.pick([0, 0.2, 0.5]);
    this.#deathAfterVote = scene.prng.pick([0, 0.3, 0.6]);
  }

  crash(nodes: readonly SimNode[]): void {
    for (const node of nodes) {
      if (!node.isUp) continue;
      this.#scene.count(nodes.length > 1 ? "crash of all" : "crash");
      this.#kill(node, this.#scene.prng.pick([5, 500, 4000]));
    }
  }

  crashOfProcess(node: SimNode): void {
    if (!node.isUp) return;
    this.#scene.count("crash of the process");
    node.killProcess();
    this.#scene.killed(node);
    this.startAgain(node, this.#scene.prng.pick([5, 500]));
  }

  /** It dies again and again, soon after each start. */
  crashLoop(node: SimNode): void {
    if (!node.isUp || this.#loops.has(node)) return;
    this.#scene.count("crash loop");
    this.#loops.set(node, this.#scene.prng.between(2, LOOP_DEATHS_MAX + 1));
    this.#dieAgain(node);
  }

  #dieAgain(node: SimNode): void {
    const left = (this.#loops.get(node) ?? 0) - 1;
    if (left < 0 || this.#scene.isHealed) {
      this.#loops.delete(node);
      return;
    }
    this.#loops.set(node, left);
    this.#scene.later(this.#scene.prng.pick([2, 50, 300]), () => {
      if (node.isUp) {
        this.#scene.count("crash in a loop");
        this.#kill(node, this.#scene.prng.pick([2, 100]));
      }
      this.#dieAgain(node);
    });
  }

  /** A restart as an operator does it: leadership is handed over, the node stops in order. */
  orderlyStop(node: SimNode): void {
    if (!node.isUp || node.isPaused) return;
    this.#scene.count("orderly stop");
    node.replica!.handOver();
    this.#scene.inLife(node, 300, () => this.stopNow(node));
  }

  stopNow(node: SimNode): void {
    if (!node.isUp || node.isPaused) return;
    node.stop(() => {
      this.#scene.killed(node);
      this.startAgain(node, this.#scene.prng.pick([5, 500]));
    });
  }

  handOver(node: SimNode): void {
    const { nodes } = this.#scene;
    const leader = nodes.find((candidate) => candidate.replica?.role() === "leader") ?? node;
    if (!leader.isUp || leader.isPaused) return;
    this.#scene.count("leadership handed over");
    leader.replica!.handOver();
  }

  pause(node: SimNode): void {
    if (!node.isUp || node.isPaused) return;
    this.#scene.count("pause");
    node.pause();
    const { life } = node;
    this.#scene.until(3000, () => {
      if (node.life === life && node.isPaused) node.resume();
    });
  }

  /** The moments at which a crash hurts most: a node has just promised something. */
  sent(from: string, payload: PeerPayload): void {
    const scene = this.#scene;
    if (scene.isHealed || payload.kind !== "raft") return;
    const { message } = payload;
    const promised =
      (message.kind === "voteResponse" &&
        message.granted &&
        scene.prng.chance(this.#deathAfterVote)) ||
      (message.kind === "appendResponse" && message.success && scene.prng.chance(0.0005));
    const node = promised
      ? scene.nodes.find((candidate) => candidate.member.id === from)
      : undefined;
    if (node === undefined || !node.isUp || node.isPaused) return;
    scene.inLife(node, 0, () => {
      scene.count(`crash after ${message.kind}`);
      this.#kill(node, 2);
    });
  }

  /** A leader that dies while it brings its log to the others leaves what figure 8 of the paper is about. */
  elected(node: SimNode): void {
    const scene = this.#scene;
    if (scene.isHealed || !scene.prng.chance(this.#deathAfterElection)) return;
    scene.inLife(node, scene.prng.pick([2, 20, 60, 150]), () => {
      scene.count("crash after election");
      this.#kill(node, scene.prng.pick([2, 200, 2000]));
    });
  }

  /** A node's log failed for what its disk did: its process has ended. */
  ended(node: SimNode): void {
    const { life } = node;
    this.#scene.scheduler.after(0, () => {
      if (node.life !== life) return;
      if (this.#scene.prng.chance(0.5)) node.kill();
      else node.killProcess();
      this.#scene.killed(node);
      this.startAgain(node, 1000);
    });
  }

  #kill(node: SimNode, backWithinMs: number): void {
    node.kill();
    this.#scene.killed(node);
    this.startAgain(node, backWithinMs);
  }

  startAgain(node: SimNode, withinMs: number): void {
    const { life } = node;
    this.#scene.scheduler.after(this.#scene.prng.next() * withinMs, () => {
      if (node.isUp || node.life !== life || this.#scene.abandoned.has(node)) return;
      this.#scene.startNode(node);
      // A full disk: somebody looks after it.
      if (!node.isUp && !this.#scene.isHealed) this.startAgain(node, 1000);
    });
  }
}
