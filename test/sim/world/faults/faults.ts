/** What goes wrong, when, by the seed's choice. */
import type { PeerPayload } from "@ferrite/node/simulation";
import type { SnapshotChunk } from "@ferrite/raft";
import type { SimNode } from "../sim-node.ts";
import { DataLoss, type DataLossOptions } from "./data-loss.ts";
import { DiskFaults } from "./disk-faults.ts";
import { FaultScene, type FaultSceneOptions } from "./fault-scene.ts";
import { LinkFaults } from "./link-faults.ts";
import { ProcessFaults } from "./process-faults.ts";

export interface FaultOptions extends FaultSceneOptions {
  /** Leaders die young, on a slow network, and are back for the next election but one. */
  readonly shortReigns: boolean;
  /** Disks lose what they had; null: they do not. */
  readonly dataLoss: DataLossOptions | null;
}

/** Wall clocks jump by at most so much. */
const CLOCK_JUMP_MS_MAX = 5000;
/** Of faults, where disks lose data. */
const DATA_LOSS_RATE = 0.25;
/** Of clusters in which a minority stays broken when the faults end. */
const MINORITY_STAYS_RATE = 0.3;

export class Faults {
  readonly scene: FaultScene;
  readonly #processes: ProcessFaults;
  readonly #links: LinkFaults;
  readonly #disks: DiskFaults;
  readonly #dataLoss: DataLoss | null;
  readonly #strikesMax: number;
  /** Faults that have struck, not counting those that hang on something else. */
  strikes = 0;
  /** Mean time between two faults; some seeds are calm, some are storms. */
  readonly #meanMs: number;

  constructor(options: FaultOptions) {
    this.scene = new FaultScene(options);
    const { prng } = this.scene;
    this.#meanMs = options.shortReigns ? 5000 : prng.pick([300, 1500, 5000]);
    this.#strikesMax = options.strikesMax;
    this.#links = new LinkFaults(this.scene, options.shortReigns);
    this.#processes = new ProcessFaults(this.scene, options.shortReigns);
    this.#disks = new DiskFaults(this.scene);
    const { dataLoss } = options;
    this.#dataLoss = dataLoss === null ? null : new DataLoss(this.scene, this.#processes, dataLoss);
  }

  get counts(): ReadonlyMap<string, number> {
    return this.scene.counts;
  }

  count(kind: string): void {
    this.scene.count(kind);
  }

  start(): void {
    this.scene.later(2 * this.#meanMs, () => {
      if (this.strikes++ >= this.#strikesMax) return;
      this.#strike();
      this.start();
    });
  }

  /** No fault begins any more. Those that go on may go on: see `heal`. */
  stop(): void {
    this.scene.isHealed = true;
  }

  /**
   * Ends the faults for good: links whole, nodes up. `minorityStays`: some nodes, fewer than half of `voters`, stay as they are:
   * down, cut off, or with a disk that hangs.
   */
  heal(voters: readonly SimNode[]): void {
    this.scene.isHealed = true;
    this.#abandon(voters);
    this.#links.heal();
    this.#disks.heal();
    for (const node of this.scene.nodes) {
      if (this.scene.abandoned.has(node)) continue;
      if (node.isPaused) node.resume();
      if (!node.isUp) this.scene.startNode(node);
    }
    this.scene.note("healed");
  }

  /** The rest is healed as well. */
  healAll(): void {
    if (this.scene.abandoned.size === 0) return;
    this.scene.abandoned.clear();
    this.heal([]);
  }

  /** Nothing of what was begun is still to come. */
  get areOver(): boolean {
    return !(this.#dataLoss?.isPending ?? false);
  }

  #abandon(voters: readonly SimNode[]): void {
    const { prng, abandoned } = this.scene;
    const most = Math.ceil(voters.length / 2) - 1;
    const isWhole = this.#dataLoss?.isOver ?? true;
    if (most < 1 || !isWhole || !prng.chance(MINORITY_STAYS_RATE)) return;
    const count = prng.between(1, most + 1);
    const left = [...voters];
    for (let turn = 0; turn < count; turn++) {
      const [node] = left.splice(prng.between(0, left.length), 1);
      abandoned.add(node);
      this.scene.count("minority stays broken");
      if (node.isUp && prng.chance(0.3)) {
        node.kill();
        this.scene.killed(node);
      } else if (prng.chance(0.5)) node.disk.slowness = Infinity;
    }
  }

  // ---- the moments at which something hurts most ------------------------------------------------------------------

  sent(from: string, payload: PeerPayload): void {
    this.#processes.sent(from, payload);
  }

  elected(node: SimNode): void {
    this.#processes.elected(node);
  }

  ended(node: SimNode): void {
    this.#processes.ended(node);
  }

  /** A node has a whole snapshot in its hands, or nearly: its state and its log are about to be replaced. */
  delivered(to: string, payload: PeerPayload): void {
    const { scene } = this;
    if (payload.kind === "chunkBytes" && payload.data.length > 0) {
      scene.count("part of a snapshot from a follower");
    }
    const chunk = chunkIn(payload);
    if (scene.isHealed || chunk === null || !chunk.done || !scene.prng.chance(0.2)) return;
    const source = chunk.source?.node;
    if (source !== undefined && scene.prng.chance(0.3)) this.#troubleSource(source);
    const node = scene.nodes.find((candidate) => candidate.member.id === to);
    if (node === undefined) return;
    scene.inLife(node, scene.prng.pick([1, 10, 100]), () => {
      scene.count("trouble while a snapshot is installed");
      this.#trouble(node);
    });
  }

  /** A node has a new key at rest: its files are about to be rewritten. */
  keyRotated(node: SimNode): void {
    const { scene } = this;
    if (scene.isHealed || !scene.prng.chance(0.3)) return;
    scene.inLife(node, scene.prng.pick([1, 20, 400]), () => {
      scene.count("trouble while keys at rest change");
      this.#trouble(node);
    });
  }

  /** A file's key is about to be wrapped anew; the power may go with it. */
  keyRewrapped(node: SimNode): void {
    const { scene } = this;
    if (scene.isHealed || !scene.prng.chance(0.05)) return;
    this.#disks.failRewrap(node);
    if (node.isPaused || scene.prng.chance(0.5)) return;
    scene.inLife(node, 0, () => this.#processes.crash([node]));
  }

  /** For a setting that is in force after a restart only. */
  restart(node: SimNode): void {
    if (!node.isUp || node.isPaused) return;
    if (this.scene.prng.chance(0.5)) this.#processes.stopNow(node);
    else this.#processes.crashOfProcess(node);
  }

  /** Who lends a snapshot is gone before all of it is there. */
  #troubleSource(id: string): void {
    const { scene } = this;
    const node = scene.nodes.find((candidate) => candidate.member.id === id);
    if (node === undefined) return;
    scene.inLife(node, scene.prng.pick([0, 1, 10]), () => {
      scene.count("trouble with who lends a snapshot");
      this.#trouble(node);
    });
  }

  #trouble(node: SimNode): void {
    switch (this.scene.prng.between(0, 6)) {
      case 0:
        return this.#processes.crash([node]);
      case 1:
        return this.#processes.crashOfProcess(node);
      case 2:
        return this.#processes.stopNow(node);
      case 3:
        return this.#disks.full(node);
      case 4:
        return this.#disks.hang(node);
      default:
        return this.#disks.fail(node);
    }
  }

  /** A node does not start with what its disk holds. False: nothing was done to its disk. */
  givenUp(node: SimNode): boolean {
    if (this.#dataLoss === null || this.#dataLoss.isOver) return false;
    this.#dataLoss.givenUp(node);
    return true;
  }

  #strike(): void {
    const { nodes, prng } = this.scene;
    if (this.#dataLoss !== null && prng.chance(DATA_LOSS_RATE)) return this.#dataLoss.strike();
    const node = prng.pick(nodes);
    const strikes: readonly (() => void)[] = [
      () => this.#processes.crash([node]),
      () => this.#processes.crash([node]),
      () => this.#processes.crash(prng.chance(0.3) ? nodes : [node]),
      () => this.#processes.crashOfProcess(node),
      () => this.#processes.crashLoop(node),
      () => this.#processes.orderlyStop(node),
      () => this.#processes.handOver(node),
      () => this.#processes.pause(node),
      () => this.#links.isolate(node),
      () => this.#links.split(),
      () => this.#links.bridge(node),
      () => this.#links.tangle(),
      () => this.#links.oneWayCut(node),
      () => this.#links.reset(node),
      () => this.#links.badNetwork(),
      () => this.#links.badNetwork(),
      () => this.#disks.full(node),
      () => this.#disks.slow(node),
      () => this.#disks.hang(node),
      () => this.#disks.fail(node),
      () => this.#jumpClock(node),
    ];
    prng.pick(strikes)();
  }

  #jumpClock(node: SimNode): void {
    this.count("clock jump");
    node.clock.jump(this.scene.prng.between(-CLOCK_JUMP_MS_MAX, CLOCK_JUMP_MS_MAX));
  }
}

function chunkIn(payload: PeerPayload): SnapshotChunk | null {
  if (payload.kind === "chunkNotice") return payload.chunk;
  return payload.kind === "raft" && payload.message.kind === "snapshotChunk"
    ? payload.message
    : null;
}
