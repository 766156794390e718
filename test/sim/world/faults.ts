/** What goes wrong, when, by the seed's choice. Every kind is counted, so that a run shows what it has really done. */
import type { PeerPayload } from "@ferrite/node/simulation";
import type { Prng } from "./prng.ts";
import type { Scheduler } from "./scheduler.ts";
import type { SimNode } from "./sim-node.ts";
import { CALM_NETWORK, type NetworkFaults, type VirtualNetwork } from "./virtual-network.ts";

export class Faults {
  readonly counts: Map<string, number> = new Map();
  readonly #nodes: readonly SimNode[];
  readonly #network: VirtualNetwork;
  readonly #scheduler: Scheduler;
  readonly #prng: Prng;
  readonly #killed: (node: SimNode) => void;
  readonly #note: (line: string) => void;
  #healed = false;
  /** Mean time between two faults; some seeds are calm, some are storms. */
  readonly #meanMs: number;
  /** How the network is when nothing is wrong with it: in one rack, or far apart. */
  readonly #usualNetwork: NetworkFaults;
  /** How often a node dies right after it has promised its vote. */
  readonly #deathAfterVote: number;
  /** How often a leader dies before it has got far. */
  readonly #deathAfterElection: number;

  constructor(options: {
    readonly nodes: readonly SimNode[];
    readonly network: VirtualNetwork;
    readonly scheduler: Scheduler;
    readonly prng: Prng;
    /** Leaders die young, on a slow network, and are back for the next election but one. */
    readonly shortReigns: boolean;
    /** Its clients lose their connections. */
    readonly killed: (node: SimNode) => void;
    readonly note: (line: string) => void;
  }) {
    this.#nodes = options.nodes;
    this.#network = options.network;
    this.#scheduler = options.scheduler;
    this.#prng = options.prng;
    this.#killed = options.killed;
    this.#note = options.note;
    this.#meanMs = options.shortReigns ? 5000 : this.#prng.pick([300, 1500, 5000]);
    this.#usualNetwork = {
      ...CALM_NETWORK,
      reorders: this.#prng.chance(0.3),
      latencyMs: { low: 0.1, high: options.shortReigns ? 40 : this.#prng.pick([0.5, 0.5, 10, 60]) },
    };
    this.#deathAfterElection = options.shortReigns ? 0.9 : this.#prng.pick([0, 0.2, 0.5]);
    this.#deathAfterVote = this.#prng.pick([0, 0.3, 0.6]);
    this.#network.faults = this.#usualNetwork;
  }

  start(): void {
    this.#scheduler.after(this.#prng.next() * 2 * this.#meanMs, () => {
      if (this.#healed) return;
      this.#strike();
      this.start();
    });
  }

  /** Ends all faults for good: links whole, nodes up. */
  heal(): void {
    this.#healed = true;
    this.#network.heal();
    this.#network.faults = CALM_NETWORK;
    for (const [position, node] of this.#nodes.entries()) {
      for (const other of this.#nodes.slice(position + 1)) {
        this.#network.reset(node.member.id, other.member.id);
      }
    }
    for (const node of this.#nodes) {
      node.disk.isFull = false;
      node.disk.slowness = 1;
      node.disk.failNextSync = false;
      node.disk.syncsBeforeFailure = 0;
      node.disk.failNextWriteTo = null;
      if (node.isPaused) node.resume();
      if (!node.isUp) node.start();
    }
    this.#note("healed");
  }

  /** The moments at which a crash hurts most: a node has just promised something. */
  sent(from: string, payload: PeerPayload): void {
    if (this.#healed || payload.kind !== "raft") return;
    const { message } = payload;
    const promised =
      (message.kind === "voteResponse" &&
        message.granted &&
        this.#prng.chance(this.#deathAfterVote)) ||
      (message.kind === "appendResponse" && message.success && this.#prng.chance(0.0005));
    const node = promised
      ? this.#nodes.find((candidate) => candidate.member.id === from)
      : undefined;
    if (node === undefined || !node.isUp || node.isPaused) return;
    const life = node.life;
    this.#scheduler.after(0, () => {
      if (this.#healed || node.life !== life) return;
      this.count(`crash after ${message.kind}`);
      node.kill();
      this.#killed(node);
      this.#startAgain(node, 2);
    });
  }

  /** A node has a whole snapshot in its hands: its state and its log are about to be replaced. */
  delivered(to: string, payload: PeerPayload): void {
    if (this.#healed || payload.kind !== "raft" || payload.message.kind !== "snapshotChunk") return;
    if (!payload.message.done || !this.#prng.chance(0.2)) return;
    const node = this.#nodes.find((candidate) => candidate.member.id === to)!;
    const { life } = node;
    this.#scheduler.after(this.#prng.next() * this.#prng.pick([1, 10, 100]), () => {
      if (this.#healed || node.life !== life || !node.isUp) return;
      this.count("trouble while a snapshot is installed");
      this.#trouble(node);
    });
  }

  /** A node has a new key at rest: its files are about to be rewritten. */
  keyRotated(node: SimNode): void {
    if (this.#healed || !this.#prng.chance(0.3)) return;
    const { life } = node;
    this.#scheduler.after(this.#prng.next() * this.#prng.pick([1, 20, 400]), () => {
      if (this.#healed || node.life !== life || !node.isUp) return;
      this.count("trouble while keys at rest change");
      this.#trouble(node);
    });
  }

  /** One of the two syncs fails with which a file's key is wrapped anew; the power may go with it. */
  keyRewrapped(node: SimNode): void {
    if (this.#healed || !this.#prng.chance(0.05)) return;
    this.count("failed sync while a key is wrapped anew");
    node.disk.failNextSync = true;
    node.disk.syncsBeforeFailure = this.#prng.between(0, 2);
    const { life } = node;
    const { isPaused } = node;
    if (isPaused || this.#prng.chance(0.5)) return;
    this.#scheduler.after(0, () => {
      if (!this.#healed && node.life === life && node.isUp) this.#kill([node]);
    });
  }

  /** For a setting that is in force after a restart only. */
  restart(node: SimNode): void {
    if (!node.isUp || node.isPaused) return;
    if (this.#prng.chance(0.5)) this.#stopNow(node);
    else this.#killProcess(node);
  }

  #trouble(node: SimNode): void {
    switch (this.#prng.between(0, 5)) {
      case 0:
        return this.#kill([node]);
      case 1:
        return this.#killProcess(node);
      case 2:
        return this.#stopNow(node);
      case 3:
        return this.#fillDisk(node);
      default:
        return this.#failDisk(node);
    }
  }

  /** A leader that dies while it brings its log to the others leaves what figure 8 of the paper is about. */
  elected(node: SimNode): void {
    if (this.#healed || !this.#prng.chance(this.#deathAfterElection)) return;
    const { life } = node;
    this.#scheduler.after(this.#prng.next() * this.#prng.pick([2, 20, 60, 150]), () => {
      if (this.#healed || node.life !== life || !node.isUp) return;
      this.count("crash after election");
      node.kill();
      this.#killed(node);
      this.#startAgain(node, this.#prng.pick([2, 200, 2000]));
    });
  }

  /** A node's log failed for what its disk did: its process has ended. */
  ended(node: SimNode): void {
    const { life } = node;
    this.#scheduler.after(0, () => {
      if (node.life !== life) return;
      if (this.#prng.chance(0.5)) node.kill();
      else node.killProcess();
      this.#killed(node);
      this.#startAgain(node, 1000);
    });
  }

  #strike(): void {
    const node = this.#prng.pick(this.#nodes);
    switch (this.#prng.between(0, 15)) {
      case 0:
      case 1:
        return this.#kill([node]);
      case 2:
        return this.#prng.chance(0.3) ? this.#kill(this.#nodes) : this.#kill([node]);
      case 3:
        return this.#partition(node);
      case 4:
        return this.#oneWayCut(node);
      case 5:
        return this.#pause(node);
      case 6:
        return this.#badNetwork();
      case 7:
        return this.#killProcess(node);
      case 8:
        return this.#stop(node);
      case 9:
        return this.#resetLinks(node);
      case 10:
        return this.#handOver(node);
      case 11:
        return this.#fillDisk(node);
      case 12:
        return this.#slowDisk(node);
      case 13:
        return this.#failDisk(node);
      default:
        this.count("clock jump");
        return node.jumpClock(this.#prng.between(-5000, 5000));
    }
  }

  #killProcess(node: SimNode): void {
    if (!node.isUp) return;
    this.count("crash of the process");
    node.killProcess();
    this.#killed(node);
    this.#startAgain(node, this.#prng.pick([5, 500]));
  }

  /** A restart as an operator does it: leadership is handed over, the node stops in order. */
  #stop(node: SimNode): void {
    if (!node.isUp || node.isPaused) return;
    this.count("orderly stop");
    node.replica!.handOver();
    const { life } = node;
    this.#scheduler.after(this.#prng.next() * 300, () => {
      if (!this.#healed && node.life === life) this.#stopNow(node);
    });
  }

  #stopNow(node: SimNode): void {
    if (!node.isUp || node.isPaused) return;
    node.stop(() => {
      this.#killed(node);
      this.#startAgain(node, this.#prng.pick([5, 500]));
    });
  }

  #resetLinks(node: SimNode): void {
    this.count("connection reset");
    for (const other of this.#nodes) {
      if (other !== node && this.#prng.chance(0.7))
        this.#network.reset(node.member.id, other.member.id);
    }
  }

  #handOver(node: SimNode): void {
    const leader = this.#nodes.find((candidate) => candidate.replica?.role() === "leader") ?? node;
    if (!leader.isUp || leader.isPaused) return;
    this.count("leadership handed over");
    leader.replica!.handOver();
  }

  #fillDisk(node: SimNode): void {
    this.count("full disk");
    node.disk.isFull = true;
    this.#scheduler.after(this.#prng.next() * this.#prng.pick([500, 4000, 15_000]), () => {
      node.disk.isFull = false;
    });
  }

  #slowDisk(node: SimNode): void {
    this.count("slow disk");
    node.disk.slowness = this.#prng.pick([10, 100, 1000]);
    this.#scheduler.after(this.#prng.next() * 3000, () => {
      node.disk.slowness = 1;
    });
  }

  #failDisk(node: SimNode): void {
    if (!node.isUp) return;
    if (this.#prng.chance(0.4)) {
      this.count("failed sync");
      node.disk.failNextSync = true;
    } else {
      this.count("failed snapshot write");
      node.disk.failNextWriteTo = "snapshots/";
    }
  }

  #kill(nodes: readonly SimNode[]): void {
    for (const node of nodes) {
      if (!node.isUp) continue;
      this.count(nodes.length > 1 ? "crash of all" : "crash");
      node.kill();
      this.#killed(node);
      this.#startAgain(node, this.#prng.pick([5, 500, 4000]));
    }
  }

  #startAgain(node: SimNode, withinMs: number): void {
    const life = node.life;
    this.#scheduler.after(this.#prng.next() * withinMs, () => {
      if (node.isUp || node.life !== life) return;
      node.start();
      // A full disk: somebody looks after it.
      if (!node.isUp && !this.#healed) this.#startAgain(node, 1000);
    });
  }

  #partition(alone: SimNode): void {
    this.count("partition");
    for (const other of this.#nodes) {
      if (other === alone) continue;
      this.#network.cut(alone.member.id, other.member.id);
      this.#network.cut(other.member.id, alone.member.id);
    }
    this.#healLinksLater();
  }

  #oneWayCut(node: SimNode): void {
    const others = this.#nodes.filter((candidate) => candidate !== node);
    if (others.length === 0) return;
    this.count("one-way cut");
    const other = this.#prng.pick(others);
    this.#network.cut(node.member.id, other.member.id);
    this.#healLinksLater();
  }

  #healLinksLater(): void {
    this.#scheduler.after(this.#prng.next() * this.#prng.pick([300, 3000, 8000]), () =>
      this.#network.heal(),
    );
  }

  #pause(node: SimNode): void {
    if (!node.isUp || node.isPaused) return;
    this.count("pause");
    node.pause();
    const life = node.life;
    this.#scheduler.after(this.#prng.next() * 3000, () => {
      if (node.life === life && node.isPaused) node.resume();
    });
  }

  #badNetwork(): void {
    this.count("loss, delay, reorder, duplicate");
    this.#network.faults = {
      lossRate: this.#prng.pick([0, 0.05, 0.3]),
      repeatRate: this.#prng.pick([0, 0.1, 0.5]),
      lateRate: this.#prng.pick([0, 0.05, 0.3]),
      reorders: this.#prng.chance(0.5),
      latencyMs: { low: 0.1, high: this.#prng.pick([0.5, 20, 100]) },
    };
    this.#scheduler.after(this.#prng.next() * 4000, () => {
      if (!this.#healed) this.#network.faults = this.#usualNetwork;
    });
  }

  count(kind: string): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    this.#note(`fault: ${kind}`);
  }
}
