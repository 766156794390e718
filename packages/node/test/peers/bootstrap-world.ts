/**
 * Nodes that form a cluster, or join it, in a world where links break and go one way only, processes die and disks are
 * replaced, one step at a time, all from one seed. It drives the real BootstrapState as formation.ts does: hellos in order
 * per link, a slow disk, and everything in memory forgotten with the process. What the members of a formed cluster agree on
 * is modelled by agreed-members.ts.
 */
import { BootstrapState } from "../../src/peers/bootstrap.ts";
import type { BootstrapReport } from "../../src/peers/bootstrap.ts";
import { genesisOf } from "../../src/peers/genesis.ts";
import type { Genesis, Member } from "../../src/peers/membership.ts";
import { AgreedMembers } from "./agreed-members.ts";

const FOUNDERS = ["a", "b", "c"];
const LATE_JOINERS = ["d", "e"];
const TOKEN = "token";
const HEALING_ROUNDS = 40;

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
  /** How much of its cluster's log it has. */
  version: number;
}

/** One direction of a link: hellos on their way, in order. */
interface Link {
  readonly from: Node;
  readonly to: Node;
  readonly fromLife: number;
  readonly toLife: number;
  readonly queue: BootstrapReport[];
}

export interface WorldOptions {
  /** Any disk may be lost at any time, and three nodes are all there are. Else a majority of disks always stays. */
  readonly wild: boolean;
  /** A core that is wrong: forms from whatever was last heard, without promises. */
  readonly ignorePromises?: boolean;
}

export class BootstrapWorld {
  readonly #random: () => number;
  readonly #options: WorldOptions;
  readonly #nodes: readonly Node[];
  readonly #clusters = new Map<string, AgreedMembers>();
  /** What somebody has promised to form, by cluster id. */
  readonly #promised = new Map<string, Genesis>();
  /** Whom a process heard last under each name. */
  readonly #lastHeard = new Map<BootstrapState, Map<string, Member>>();
  /** `from>to`: nothing gets through in that direction. */
  readonly #cuts = new Set<string>();
  #links: Link[] = [];
  #diskNumber = 0;
  readonly counts = {
    wipedWhileForming: 0,
    wipedWhenFormed: 0,
    adopted: 0,
    resets: 0,
    asked: 0,
    admitted: 0,
    promoted: 0,
    cuts: 0,
  };

  constructor(seed: number, options: WorldOptions) {
    this.#random = randomFrom(seed);
    this.#options = options;
    const names = options.wild ? FOUNDERS : [...FOUNDERS, ...LATE_JOINERS];
    const blank = { genesis: null, writing: null, state: null, life: 0, version: 0 };
    this.#nodes = names.map((name) => ({ name, id: this.#newDisk(), ...blank }));
  }

  /** One thing happens. */
  disturb(): void {
    const node = this.#pick(this.#nodes);
    const other = this.#pick(this.#nodes);
    const dice = this.#random();
    if (dice < 0.1) this.#start(node);
    else if (dice < 0.11) this.#stop(node);
    else if (dice < 0.125) this.#wipe(node);
    else if (dice < 0.13) this.#cut(node, other);
    else if (dice < 0.14) this.#cuts.delete(this.#pick([...this.#cuts, ""]));
    else if (dice < 0.3) this.#connect(node, other);
    else if (dice < 0.32 && this.#links.length > 0) this.#break(this.#pick(this.#links));
    else if (dice < 0.42) this.#finishWriting(node);
    else if (dice < 0.46) this.#catchUp(node);
    else if (dice < 0.5) this.#promote(node);
    else if (this.#links.length > 0) this.#deliver(this.#pick(this.#links));
  }

  /** Everything works from now on, until nothing more happens. */
  heal(): void {
    this.#cuts.clear();
    for (const node of this.#nodes) {
      this.#start(node);
    }
    for (let round = 0; round < HEALING_ROUNDS; round++) {
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
      for (const node of this.#nodes) {
        this.#finishWriting(node);
        this.#catchUp(node);
        this.#promote(node);
        // Who asks says so again (joinAskIntervalMs).
        this.#announce(node);
      }
    }
  }

  expectAtMostOneCluster(): void {
    const ids = this.#clusterIds();
    if (ids.size > 1) {
      throw new Error(`two clusters: ${[...ids].join(", ")}`);
    }
  }

  /** One cluster, and everybody is in it whom those that are left can let in. */
  expectConverged(): void {
    const [clusterId] = this.#clusterIds();
    const agreed = this.#clusters.get(clusterId ?? "");
    if (agreed === undefined) throw new Error("no cluster was formed");
    const disks = new Set(this.#nodes.map(({ id }) => id));
    if (!agreed.isMajority(disks)) {
      if (this.#options.wild) return;
      throw new Error("the majority of the cluster is gone, though it was never lost");
    }
    const voters = new Set(agreed.latest.voters.map(({ id }) => id));
    for (const node of this.#nodes) {
      if (node.genesis === null) throw new Error(`${node.name} is still out`);
      if (!voters.has(node.id)) throw new Error(`${node.name} is in, and counts for nothing`);
    }
  }

  #clusterIds(): ReadonlySet<string> {
    return new Set(this.#nodes.flatMap((node) => node.genesis?.clusterId ?? []));
  }

  #start(node: Node): void {
    if (node.state === null) {
      node.state = new BootstrapState({
        self: memberOf(node),
        clusterToken: TOKEN,
        expectedNames: [...FOUNDERS, node.name],
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
    if (!this.#mayLose(node)) return;
    if (node.genesis !== null) this.counts.wipedWhenFormed++;
    else if ((node.state?.promise ?? null) !== null) this.counts.wipedWhileForming++;
    this.#stop(node);
    node.id = this.#newDisk();
    node.genesis = null;
    node.version = 0;
  }

  /**
   * Could every cluster that another node has, or may form at any moment, still agree without this disk? Promises of the
   * dead may be on their way: who hears them forms, and would find two of three disks gone.
   */
  #mayLose(node: Node): boolean {
    if (this.#options.wild) return true;
    const others = this.#nodes.filter((each) => each !== node);
    const disks = new Set(others.map(({ id }) => id));
    const onTheWay = this.#links.flatMap(({ queue }) => queue.map(({ promise }) => promise));
    const promises = [...others.map(({ state }) => state?.promise ?? null), ...onTheWay];
    const possible = [
      ...others.map(({ genesis, writing }) => genesis ?? writing),
      ...promises.map((promise) => this.#promised.get(promise ?? "")),
    ].filter((genesis) => genesis !== null && genesis !== undefined);
    return possible.every((genesis) => this.#agreedBy(genesis).isMajority(disks));
  }

  #agreedBy(genesis: Genesis): AgreedMembers {
    return this.#clusters.get(genesis.clusterId) ?? new AgreedMembers(genesis.members);
  }

  #cut(from: Node, to: Node): void {
    if (from === to || this.#cuts.size >= this.#nodes.length) return;
    this.counts.cuts++;
    this.#cuts.add(`${from.name}>${to.name}`);
  }

  #reaches(from: Node, to: Node): boolean {
    return !this.#cuts.has(`${from.name}>${to.name}`);
  }

  #connect(from: Node, to: Node): void {
    if (from === to || from.state === null || to.state === null) return;
    // A handshake needs both directions.
    if (!this.#reaches(from, to) || !this.#reaches(to, from)) return;
    if (this.#links.some((link) => link.from === from && link.to === to && isCurrent(link))) {
      return;
    }
    const lives = { fromLife: from.life, toLife: to.life };
    this.#links.push({ from, to, ...lives, queue: [this.#reportOf(from)] });
  }

  #break(link: Link): void {
    this.#links = this.#links.filter((each) => each !== link);
  }

  /** The oldest hello of the link arrives. True when there was one. */
  #deliver(link: Link): boolean {
    if (!this.#reaches(link.from, link.to)) return false;
    const report = link.queue.shift();
    const { to } = link;
    if (report === undefined) {
      if (!isCurrent(link)) {
        this.#break(link);
      }
      return false;
    }
    if (to.state === null || link.toLife !== to.life) return true;
    if (to.genesis !== null) {
      this.#hearAsking(to, report);
    } else if (to.writing === null && !this.#expectsOthers(to, report)) {
      to.state.hear(report);
      this.#noteHeard(to.state, report.member);
      this.#decide(to, to.state);
    }
    return true;
  }

  /** Two that are not formed and mean different clusters refuse each other (hello-check.ts). */
  #expectsOthers(to: Node, report: BootstrapReport): boolean {
    if (report.genesis !== null) return false;
    return !FOUNDERS.includes(to.name) || !FOUNDERS.includes(report.member.name);
  }

  /** A member hears a node: it brings those that have no place to where it can be agreed on. */
  #hearAsking(member: Node, { member: asker, genesis }: BootstrapReport): void {
    const clusterId = member.genesis?.clusterId ?? "";
    const agreed = this.#clusters.get(clusterId);
    if (agreed === undefined || (genesis !== null && genesis.clusterId !== clusterId)) return;
    if (agreed.membersAt(agreed.version).some(({ id }) => id === asker.id)) return;
    // The newest disk of a name is the one that asks: an old hello of one that is gone is not answered.
    if (!this.#nodes.some(({ id }) => id === asker.id)) return;
    this.counts.asked++;
    if (!agreed.admit(asker, this.#reachableFrom(member, clusterId))) return;
    this.counts.admitted++;
    member.version = agreed.version;
    this.#announce(member);
  }

  /** Disks of the cluster that can talk with this node in both directions. */
  #reachableFrom(node: Node, clusterId: string): ReadonlySet<string> {
    const talking = this.#nodes.filter(
      (each) =>
        each.state !== null &&
        each.genesis?.clusterId === clusterId &&
        this.#reaches(node, each) &&
        this.#reaches(each, node),
    );
    return new Set(talking.map(({ id }) => id));
  }

  /** The log reaches a node that the cluster counts, or that learns. */
  #catchUp(node: Node): void {
    const clusterId = node.genesis?.clusterId ?? "";
    const agreed = this.#clusters.get(clusterId);
    if (node.state === null || agreed === undefined || node.version === agreed.version) return;
    if (!agreed.isMajority(this.#reachableFrom(node, clusterId))) return;
    node.version = agreed.version;
    this.#announce(node);
  }

  #promote(node: Node): void {
    const clusterId = node.genesis?.clusterId ?? "";
    const agreed = this.#clusters.get(clusterId);
    if (node.state === null || agreed === undefined) return;
    if (agreed.promote(node, this.#reachableFrom(node, clusterId))) this.counts.promoted++;
  }

  #decide(node: Node, state: BootstrapState): void {
    const promiseBefore = state.promise;
    let decision = state.decide();
    const careless = this.#options.ignorePromises === true;
    if (careless && decision.kind === "wait" && decision.missing.length === 0) {
      decision = { kind: "form", genesis: this.#whatWasHeard(node) };
    }
    if (state.promise !== null && state.promise !== promiseBefore) {
      this.#promised.set(state.promise, this.#whatWasHeard(node));
      this.#announce(node);
    }
    if (decision.kind === "form" || decision.kind === "adopt") {
      this.counts.adopted += decision.kind === "adopt" ? 1 : 0;
      node.writing = decision.genesis;
    } else if (decision.kind === "reset") {
      this.counts.resets++;
      state.reset();
      node.life++;
      for (const link of this.#links) {
        if (link.from === node || link.to === node) {
          this.#break(link);
        }
      }
    }
  }

  /** The cluster of whoever was heard last, fresh or not: what is promised, and what a careless core would form. */
  #whatWasHeard(node: Node): Genesis {
    const heard = this.#lastHeard.get(node.state as BootstrapState) ?? new Map<string, Member>();
    return genesisOf(TOKEN, [memberOf(node), ...heard.values()]);
  }

  #noteHeard(state: BootstrapState, member: Member): void {
    const heard = this.#lastHeard.get(state) ?? new Map<string, Member>();
    heard.set(member.name, member);
    this.#lastHeard.set(state, heard);
  }

  #finishWriting(node: Node): void {
    const genesis = node.writing;
    if (genesis === null) return;
    node.genesis = genesis;
    node.writing = null;
    if (!this.#clusters.has(genesis.clusterId)) {
      this.#clusters.set(genesis.clusterId, new AgreedMembers(genesis.members));
    }
    this.#announce(node);
  }

  #announce(node: Node): void {
    if (node.state === null) return;
    for (const link of this.#links) {
      if (link.from === node && link.fromLife === node.life) {
        link.queue.push(this.#reportOf(node));
      }
    }
  }

  #reportOf(node: Node): BootstrapReport {
    const { genesis } = node;
    const agreed = this.#clusters.get(genesis?.clusterId ?? "");
    return {
      member: memberOf(node),
      promise: node.state?.promise ?? null,
      genesis,
      members: agreed === undefined ? null : agreed.membersAt(node.version),
    };
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
