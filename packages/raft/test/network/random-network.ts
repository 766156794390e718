/**
 * Cores on a bad network: messages are lost, repeated, late and out of order, links are cut one way, nodes crash with
 * writes on their way, leaders are handed over, logs are compacted and members change. Everything follows from a seed.
 */
import {
  encodeConfiguration,
  enterJoint,
  EntryKind,
  type Entry,
  type Message,
  type ReadState,
  type SnapshotMeta,
} from "../../src/index.ts";
import { bytesOf, optionsOf } from "../harness/options.ts";
import { TestPrng } from "../harness/prng.ts";
import { TestNode, type NodeEvents } from "../harness/test-node.ts";
import { ElectionSafety } from "./invariants/election-safety.ts";
import { LeaderAppendOnly } from "./invariants/leader-append-only.ts";
import { LeaderCompleteness } from "./invariants/leader-completeness.ts";
import { LeaseFreshness } from "./invariants/lease-freshness.ts";
import { LogMatching } from "./invariants/log-matching.ts";
import { ReadFreshness } from "./invariants/read-freshness.ts";
import { RefusedStaysOut } from "./invariants/refused-stays-out.ts";
import { StateMachineSafety } from "./invariants/state-machine-safety.ts";
import type { NetworkSetup } from "./network-setup.ts";
import { damageMaybe, drawMembers, drawPriorities } from "./misfortunes.ts";
import type { Invariant } from "./observer.ts";
import { CALM, drawWeather, type Weather } from "./weather.ts";

const NAMES = ["a", "b", "c", "d", "e"];
/** More than this on its way and the network drops the oldest: like real queues. */
const IN_FLIGHT_MAX = 200;

export class RandomNetwork implements NodeEvents {
  readonly nodes: readonly TestNode[];
  readonly #prng: TestPrng;
  #weather: Weather;
  readonly #reads: ReadFreshness = new ReadFreshness();
  readonly #refusals: RefusedStaysOut = new RefusedStaysOut();
  readonly #leaseFreshness: LeaseFreshness | null;
  #ticks = 0;
  readonly #invariants: readonly Invariant[];
  readonly #membershipChanges: boolean;
  readonly #damage: boolean;
  #inFlight: Message[] = [];
  #cutLinks = new Set<string>();
  #nextValue = 1;
  readonly #newLeaders = new Set<TestNode>();
  #justVoted: string | null = null;
  readsConfirmed = 0;
  snapshotsInstalled = 0;
  logsDamaged = 0;

  constructor(setup: NetworkSetup) {
    this.#prng = new TestPrng(setup.seed);
    this.#weather = drawWeather(this.#prng, setup.storm ?? false);
    this.#membershipChanges = setup.membershipChanges ?? false;
    this.#damage = setup.damage ?? false;
    this.#leaseFreshness = setup.leases === true ? new LeaseFreshness() : null;
    this.#invariants = [
      new ElectionSafety(),
      new LeaderAppendOnly(),
      new LogMatching(),
      new LeaderCompleteness(),
      new StateMachineSafety(),
      this.#reads,
      this.#refusals,
      ...(this.#leaseFreshness === null ? [] : [this.#leaseFreshness]),
    ];
    const names = NAMES.slice(0, setup.nodes);
    const voters = this.#membershipChanges ? names.slice(0, 3) : names;
    // Small appends part what would otherwise arrive together: an old entry without the new leader's own behind it.
    const limits = {
      appendBytesMax: this.#prng.chance(50) ? 1 : 64,
      inflightMessagesMax: 1 + this.#prng.below(4),
    };
    this.nodes = names.map(
      (id) =>
        new TestNode(
          optionsOf({
            id,
            voters,
            seed: setup.seed,
            limits,
            leases: setup.leases === true,
          }),
          this,
          setup.canary ?? null,
        ),
    );
  }

  // What the nodes tell.

  send(message: Message): void {
    this.#inFlight.push(message);
    if (message.kind === "voteResponse" && message.granted) {
      this.#justVoted = message.from;
    }
    if (this.#inFlight.length > IN_FLIGHT_MAX) {
      this.#inFlight.shift();
    }
  }

  appended(node: TestNode, entries: readonly Entry[]): void {
    this.#invariants.forEach((invariant) => invariant.appended?.(node, entries));
  }

  applied(node: TestNode, entry: Entry): void {
    this.#invariants.forEach((invariant) => invariant.applied?.(node, entry));
  }

  installed(node: TestNode, meta: SnapshotMeta, state: string): void {
    this.snapshotsInstalled += 1;
    this.#invariants.forEach((invariant) => invariant.installed?.(node, meta, state));
  }

  readConfirmed(_node: TestNode, read: ReadState): void {
    this.readsConfirmed += 1;
    this.#reads.confirmed(read.requestId, read.index);
  }

  readFailed(): void {
    // The asker would ask again; the random walk does so anyway.
  }

  get leasesSeen(): number {
    return this.#leaseFreshness?.seen ?? 0;
  }

  // The bad times.

  runFaults(steps: number): void {
    for (let step = 0; step < steps; step += 1) {
      this.#randomStep();
    }
  }

  #randomStep(): void {
    const prng = this.#prng;
    const node = prng.pick(this.nodes);
    if (prng.below(1000) < this.#weather.crashPermille || !node.up) {
      this.#crashOrRestart(node);
    }
    if (prng.below(1000) < this.#weather.cutPermille) {
      this.#cutOrMend();
    }
    if (this.#cutLinks.size > 0 && prng.below(1000) < this.#weather.mendPermille) {
      this.#cutLinks.clear();
    }
    if (prng.below(1000) < this.#weather.rarePermille) {
      this.#rareStep(node);
    }
    const dice = prng.below(100);
    if (dice < 50) {
      this.#deliverAny();
    } else if (dice < 57 || (dice < 60 && this.#leaseFreshness !== null)) {
      this.#tickAll();
    } else if (dice < 60) {
      this.#act(node, () => node.core.tick());
    } else if (dice < 80) {
      this.#act(node, () => node.completeWrite());
    } else if (dice < 92) {
      this.#propose(prng.chance(80) ? (this.leader() ?? node) : node);
    } else if (dice < 97) {
      this.#act(node, () => this.#read(node));
    } else {
      this.#act(node, () => node.core.pushCommit());
    }
  }

  /** Time passes for all. With leases it does a little slower for the first. */
  #tickAll(): void {
    this.#ticks += 1;
    for (const node of this.nodes) {
      const rests =
        this.#leaseFreshness !== null && node === this.nodes[0] && this.#ticks % 10 === 0;
      if (!rests) {
        this.#act(node, () => node.core.tick());
      }
      if (this.#leaseFreshness !== null) {
        this.#act(node, () => node.core.wantLease());
      }
    }
  }

  #rareStep(node: TestNode): void {
    const prng = this.#prng;
    if (this.#leaseFreshness !== null && prng.chance(50)) {
      this.#attackLease();
      return;
    }
    switch (prng.below(6)) {
      case 5:
        this.#act(node, () => node.core.setPriorities(drawPriorities(prng, this.nodes)));
        return;
      case 0:
        this.#breakLinks();
        return;
      case 1:
        this.#act(node, () => {
          node.core.transferLeadership(this.#maybe(prng.pick(this.nodes).id));
        });
        return;
      case 2:
        this.#act(node, () => this.#compact(node));
        return;
      case 3:
        this.#act(node, () => this.#changeMembers(node));
        return;
      default:
        if (prng.chance(20)) {
          this.#act(node, () => node.core.stepDown());
        }
    }
  }

  /** All links to one node break, as when its process ends; sometimes only one does. */
  #breakLinks(): void {
    const broken = this.#prng.pick(this.nodes).id;
    const all = this.#prng.chance(70);
    const witness = this.#prng.pick(this.nodes);
    for (const node of this.nodes) {
      if (all || node === witness) {
        this.#act(node, () => node.core.peerUnreachable(broken));
      }
    }
    // Sometimes nothing gets through for as long as it takes all of them to campaign at once.
    const silentTicks = this.#prng.chance(50) ? 0 : 4;
    for (let tick = 0; tick < silentTicks; tick += 1) {
      this.#tickAll();
    }
  }

  /** The moments at which losing a leader tells most: when it was elected, and at the first commit of its term. */
  #watchNewLeader(node: TestNode, before: { ledBefore: boolean; committedBefore: number }): void {
    const leads = node.core.role() === "leader";
    if (!leads) {
      this.#newLeaders.delete(node);
    } else if (!before.ledBefore) {
      this.#newLeaders.add(node);
      this.#maybeLose(node);
    } else if (this.#newLeaders.has(node) && node.core.commitIndex() > before.committedBefore) {
      this.#newLeaders.delete(node);
      this.#maybeLose(node);
    }
  }

  #maybeLose(leader: TestNode): void {
    if (this.#prng.chance(this.#weather.loseNewLeaderPercent)) {
      this.#cutOff(leader);
    }
  }

  /** Cuts a leader off, and nobody else; the others see their links to it break. */
  #cutOff(leader: TestNode): void {
    this.#inFlight = this.#inFlight.filter((message) => message.from !== leader.id);
    this.#cutLinks.clear();
    for (const node of this.nodes) {
      this.#cutLinks.add(`${leader.id}>${node.id}`);
      this.#cutLinks.add(`${node.id}>${leader.id}`);
      if (node !== leader && node.up) {
        node.core.peerUnreachable(leader.id);
      }
    }
  }

  /**
   * What a lease is there to survive: its holder is cut off, the others lose patience (their links to it break, some are
   * started again), and everything among them goes as fast as it can, for about as long as a promise lasts.
   */
  #attackLease(): void {
    const holder = this.nodes.find((node) => node.up && node.core.leaseTicksLeft() > 0);
    if (holder === undefined) {
      return;
    }
    if (this.#prng.chance(30)) {
      this.#act(holder, () => holder.core.transferLeadership());
      this.settle();
    }
    this.#cutOff(holder);
    for (const node of this.nodes) {
      if (node !== holder && node.up && this.#prng.chance(40)) {
        node.crash(node.disk.pendingWrites);
        this.#restart(node);
      }
    }
    const ticks = this.#prng.below(14);
    for (let tick = 0; tick < ticks; tick += 1) {
      this.#tickAll();
      this.settle();
      this.proposeAtLeader();
      this.settle();
    }
    this.#cutLinks.clear();
  }

  #maybe(id: string): string | undefined {
    return this.#prng.chance(50) ? id : undefined;
  }

  /** Something happens at a node that is up; then everything it wants is carried out and checked. */
  #act(node: TestNode, action: () => void): void {
    if (!node.up) {
      return;
    }
    const ledBefore = node.core.role() === "leader";
    const committedBefore = node.core.commitIndex();
    action();
    node.pump();
    this.#invariants.forEach((invariant) => invariant.stepped?.(node));
    this.#watchNewLeader(node, { ledBefore, committedBefore });
    const voted = this.#justVoted === node.id;
    this.#justVoted = null;
    if (voted && this.#prng.chance(this.#weather.crashAfterVotePercent)) {
      node.crash(0);
      this.#restart(node);
    }
  }

  #deliverAny(): void {
    if (this.#inFlight.length === 0) {
      return;
    }
    // Mostly the oldest, sometimes any: late and out of order.
    const late = this.#prng.chance(this.#weather.reorderPercent);
    const place = late ? this.#prng.below(this.#inFlight.length) : 0;
    const [message] = this.#inFlight.splice(place, 1);
    if (message === undefined || this.#prng.chance(this.#weather.lossPercent)) {
      return;
    }
    if (this.#prng.chance(this.#weather.repeatPercent)) {
      this.#inFlight.push(message);
    }
    this.#deliver(message);
  }

  #deliver(message: Message): void {
    const target = this.nodes.find((node) => node.id === message.to);
    if (target === undefined || this.#cutLinks.has(`${message.from}>${message.to}`)) {
      return;
    }
    this.#act(target, () => target.core.step(message));
  }

  #propose(node: TestNode): void {
    const size = this.#prng.below(12);
    const value = `${this.#nextValue}${"x".repeat(size)}`;
    this.#nextValue += 1;
    this.#act(node, () => {
      if (!node.core.propose(bytesOf(value)).accepted) {
        this.#refusals.refused(value);
      }
    });
  }

  #read(node: TestNode): void {
    const requestId = this.#nextValue;
    this.#nextValue += 1;
    this.#reads.asked(requestId);
    node.core.readIndex(requestId);
  }

  #crashOrRestart(node: TestNode): void {
    if (node.up) {
      node.crash(this.#prng.below(node.disk.pendingWrites + 1));
      if (this.#prng.chance(this.#weather.quickRestartPercent)) {
        this.#restart(node);
      }
    } else if (this.#prng.chance(5)) {
      this.#restart(node);
    }
  }

  /** While it is down, what a node has written turns out to be unreadable from some point on. */
  #maybeDamage(node: TestNode): void {
    if (this.#damage && damageMaybe(this.#prng, this.nodes, node)) {
      this.logsDamaged += 1;
    }
  }

  #restart(node: TestNode): void {
    this.#maybeDamage(node);
    node.restart();
    this.#act(node, () => undefined);
  }

  /** Cuts some links, one way each, or mends all. */
  #cutOrMend(): void {
    if (this.#cutLinks.size > 0) {
      this.#cutLinks.clear();
      return;
    }
    for (const from of this.nodes) {
      for (const to of this.nodes) {
        if (this.#prng.chance(30)) {
          this.#cutLinks.add(`${from.id}>${to.id}`);
        }
      }
    }
  }

  #compact(node: TestNode): void {
    const { firstIndex } = node.core.status();
    if (node.appliedIndex >= firstIndex) {
      node.compact(firstIndex + this.#prng.below(node.appliedIndex - firstIndex + 1));
    }
  }

  #changeMembers(node: TestNode): void {
    const { configuration, role } = node.core.status();
    if (!this.#membershipChanges || role !== "leader" || configuration.votersOutgoing.length > 0) {
      return;
    }
    const target = drawMembers(this.#prng, this.nodes);
    if (target === null) {
      return;
    }
    node.core.propose(
      encodeConfiguration(enterJoint(configuration, target)),
      EntryKind.Configuration,
    );
  }

  // The good times: after all is mended, everything must come together.

  heal(): void {
    this.#weather = CALM;
    this.#cutLinks.clear();
    for (const node of this.nodes) {
      if (!node.up) {
        this.#restart(node);
      }
      // Or leadership could move in the middle of what is looked at afterwards.
      this.#act(node, () => node.core.setPriorities(new Map()));
    }
  }

  /** Ticks everyone and delivers everything in order, `ticks` times. */
  runCalm(ticks: number): void {
    for (let tick = 0; tick < ticks; tick += 1) {
      for (const node of this.nodes) {
        this.#act(node, () => node.core.tick());
      }
      this.settle();
    }
  }

  settle(): void {
    for (let round = 0; round < 50; round += 1) {
      for (const node of this.nodes) {
        while (node.disk.pendingWrites > 0) {
          this.#act(node, () => node.completeWrite());
        }
      }
      const batch = this.#inFlight;
      this.#inFlight = [];
      batch.forEach((message) => this.#deliver(message));
      if (
        this.#inFlight.length === 0 &&
        this.nodes.every((node) => node.disk.pendingWrites === 0)
      ) {
        return;
      }
    }
  }

  leader(): TestNode | null {
    const leaders = this.nodes.filter((node) => node.up && node.core.role() === "leader");
    return leaders.reduce<TestNode | null>(
      (best, node) => (best === null || node.core.term() > best.core.term() ? node : best),
      null,
    );
  }

  proposeAtLeader(): boolean {
    const leader = this.leader();
    if (leader === null) {
      return false;
    }
    let accepted = false;
    this.#act(leader, () => {
      accepted = leader.core.propose(bytesOf(`calm${this.#nextValue}`)).accepted;
    });
    return accepted;
  }

  readAt(node: TestNode): void {
    this.#act(node, () => this.#read(node));
  }

  /** Members of the configuration in force at the leader. */
  members(): readonly TestNode[] {
    const configuration = this.leader()?.core.status().configuration;
    const ids = [...(configuration?.voters ?? []), ...(configuration?.learners ?? [])];
    return this.nodes.filter((node) => ids.includes(node.id));
  }
}
