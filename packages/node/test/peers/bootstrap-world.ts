/**
 * Three nodes that form a cluster in a world where links break, processes die and disks are replaced, one step at a
 * time, all from one seed. It drives the real BootstrapState as formation.ts does: hellos in order per link, a slow
 * disk, and everything in memory forgotten with the process.
 */
import { BootstrapState } from "../../src/peers/bootstrap.ts";
import { genesisOf } from "../../src/peers/genesis.ts";
import type { BootstrapReport } from "../../src/peers/bootstrap.ts";
import type { Genesis, Member } from "../../src/peers/membership.ts";

const NAMES = ["a", "b", "c"];
const TOKEN = "token";

interface Node {
  readonly name: string;
  id: string;
  /** What is on the disk. */
  genesis: Genesis | null;
  /** Being written; lost when the process dies. */
  writing: Genesis | null;
  /** Null while the process is down. */
  state: BootstrapState | null;
  /** Counts lives: a link belongs to one life at each end. */
  life: number;
}

/** One direction of a link: hellos on their way, in order. */
interface Link {
  readonly from: Node;
  readonly to: Node;
  readonly fromLife: number;
  readonly toLife: number;
  readonly queue: BootstrapReport[];
}

export class BootstrapWorld {
  readonly #random: () => number;
  readonly #ignorePromises: boolean;
  readonly #nodes: Node[];
  /** Only for the careless core. */
  readonly #lastHeard = new Map<BootstrapState, Map<string, Member>>();
  #links: Link[] = [];
  #diskNumber = 0;
  wipedWhileForming = 0;
  adopted = 0;
  resets = 0;

  constructor(seed: number, options: { readonly ignorePromises?: boolean } = {}) {
    this.#random = randomFrom(seed);
    this.#ignorePromises = options.ignorePromises ?? false;
    this.#nodes = NAMES.map((name) => ({
      name,
      id: this.#newDisk(),
      genesis: null,
      writing: null,
      state: null,
      life: 0,
    }));
  }

  /** One thing happens. */
  disturb(): void {
    const node = this.#pick(this.#nodes);
    const dice = this.#random();
    if (dice < 0.15) {
      this.#start(node);
    } else if (dice < 0.17) {
      this.#stop(node);
    } else if (dice < 0.19) {
      this.#wipe(node);
    } else if (dice < 0.37) {
      this.#connect(node, this.#pick(this.#nodes));
    } else if (dice < 0.45 && this.#links.length > 0) {
      this.#break(this.#pick(this.#links));
    } else if (dice < 0.53) {
      this.#finishWriting(node);
    } else if (this.#links.length > 0) {
      this.#deliver(this.#pick(this.#links));
    }
  }

  /** Everything works from now on, until nothing more happens. */
  heal(): void {
    for (const node of this.#nodes) {
      this.#start(node);
    }
    for (let round = 0; round < 40; round++) {
      for (const from of this.#nodes) {
        for (const to of this.#nodes) {
          this.#connect(from, to);
        }
      }
      for (let busy = true; busy;) {
        busy = false;
        for (const link of this.#links) {
          busy = this.#deliver(link) || busy;
        }
      }
      this.#nodes.forEach((node) => {
        this.#finishWriting(node);
      });
    }
  }

  expectAtMostOneCluster(): void {
    const ids = new Set(this.#nodes.flatMap((node) => node.genesis?.clusterId ?? []));
    if (ids.size > 1) {
      throw new Error(`two clusters: ${[...ids].join(", ")}`);
    }
  }

  /** Every node whose disk the cluster lists is a member; if nobody formed one, that is a failure. */
  expectConverged(): void {
    const genesis = this.#nodes.find((node) => node.genesis !== null)?.genesis ?? null;
    if (genesis === null) {
      throw new Error("no cluster was formed");
    }
    for (const node of this.#nodes) {
      const listed = genesis.members.some((member) => member.id === node.id);
      if (listed !== (node.genesis !== null)) {
        throw new Error(`${node.name} is ${listed ? "listed but out" : "in but not listed"}`);
      }
    }
  }

  /** Nodes left out because their disk was replaced. */
  barredNodes(): number {
    return this.#nodes.filter((node) => node.genesis === null).length;
  }

  #start(node: Node): void {
    if (node.state === null) {
      node.state = new BootstrapState({
        self: memberOf(node),
        clusterToken: TOKEN,
        expectedNames: NAMES,
      });
      node.life++;
    }
  }

  #stop(node: Node): void {
    node.state = null;
    node.writing = null;
    for (const link of this.#links) {
      if (link.to === node) {
        this.#break(link);
      }
      // What a dead process sent may still arrive: those links are left to be delivered or broken.
    }
  }

  #wipe(node: Node): void {
    const promised = (node.state?.promise ?? null) !== null;
    if (node.genesis === null && promised) {
      this.wipedWhileForming++;
    }
    this.#stop(node);
    node.id = this.#newDisk();
    node.genesis = null;
  }

  #connect(from: Node, to: Node): void {
    if (from === to || from.state === null || to.state === null) {
      return;
    }
    if (this.#links.some((link) => link.from === from && link.to === to && isCurrent(link))) {
      return;
    }
    const link = { from, to, fromLife: from.life, toLife: to.life, queue: [this.#reportOf(from)] };
    this.#links.push(link);
  }

  #break(link: Link): void {
    this.#links = this.#links.filter((each) => each !== link);
  }

  /** The oldest hello of the link arrives. True when there was one. */
  #deliver(link: Link): boolean {
    const report = link.queue.shift();
    const { to } = link;
    if (report === undefined) {
      if (!isCurrent(link)) {
        this.#break(link);
      }
      return false;
    }
    if (
      to.state !== null &&
      link.toLife === to.life &&
      to.genesis === null &&
      to.writing === null
    ) {
      to.state.hear(report);
      this.#noteHeard(to.state, report.member);
      this.#decide(to, to.state);
    }
    return true;
  }

  #decide(node: Node, state: BootstrapState): void {
    const promiseBefore = state.promise;
    let decision = state.decide();
    if (this.#ignorePromises && decision.kind === "wait" && decision.missing.length === 0) {
      decision = { kind: "form", genesis: this.#withoutPromises(node) };
    }
    if (state.promise !== promiseBefore) {
      this.#announce(node);
    }
    if (decision.kind === "form" || decision.kind === "adopt") {
      this.adopted += decision.kind === "adopt" ? 1 : 0;
      node.writing = decision.genesis;
    } else if (decision.kind === "reset") {
      this.resets++;
      state.reset();
      node.life++;
      for (const link of this.#links) {
        if (link.from === node || link.to === node) {
          this.#break(link);
        }
      }
    }
  }

  /** What a careless core would form: from whatever was last heard, fresh or not. */
  #withoutPromises(node: Node): Genesis {
    const heard = this.#lastHeard.get(node.state as BootstrapState) ?? new Map<string, Member>();
    return genesisOf(TOKEN, [memberOf(node), ...heard.values()]);
  }

  #noteHeard(state: BootstrapState, member: Member): void {
    const heard = this.#lastHeard.get(state) ?? new Map<string, Member>();
    heard.set(member.name, member);
    this.#lastHeard.set(state, heard);
  }

  #finishWriting(node: Node): void {
    if (node.writing !== null) {
      node.genesis = node.writing;
      node.writing = null;
      this.#announce(node);
    }
  }

  #announce(node: Node): void {
    for (const link of this.#links) {
      if (link.from === node && link.fromLife === node.life) {
        link.queue.push(this.#reportOf(node));
      }
    }
  }

  #reportOf(node: Node): BootstrapReport {
    const promise = node.state?.promise ?? null;
    return { member: memberOf(node), promise, genesis: node.genesis, members: null };
  }

  #pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.#random() * list.length)];
  }

  #newDisk(): string {
    this.#diskNumber++;
    return `00000000-0000-4000-8000-${String(this.#diskNumber).padStart(12, "0")}`;
  }
}

function memberOf(node: Node): Member {
  return { id: node.id, name: node.name, peerAddress: "", clientAddress: "" };
}

function isCurrent(link: Link): boolean {
  return link.fromLife === link.from.life && link.toLife === link.to.life;
}

/** A small generator of numbers in [0, 1) that is the same for the same seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
