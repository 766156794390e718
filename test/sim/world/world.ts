/**
 * One simulation, decided by its seed alone: a cluster of three nodes with clients, first under faults (safety
 * phase: the invariants hold at every step), then healed (liveness phase: every request ends, all nodes agree), and at the end
 * the clients' history is held against what the cluster says (oracle).
 */
import type { Entry } from "@ferrite/raft";
import { breakCommitRule } from "@ferrite/raft/testing";
import { damageNotTold } from "../invariants/damage-is-told.ts";
import { valuesInTheClear } from "../invariants/nothing-in-the-clear.ts";
import { Violation, type EntryMark } from "../invariants/observer.ts";
import { ClientRecord } from "../oracle/client-record.ts";
import { splitTokens } from "../oracle/history.ts";
import { judge } from "../oracle/judge.ts";
import { crc32 } from "node:zlib";
import { AtRestPart } from "./at-rest/at-rest-part.ts";
import { drawShape, type ClusterShape } from "./cluster-shape.ts";
import { Faults } from "./faults/faults.ts";
import { Prng } from "./prng.ts";
import { hasConverged, hasLeader, isAbreast, isWhole } from "./progress.ts";
import { Scheduler } from "./scheduler.ts";
import { CLIENT_KEYS, COUNTER_KEYS, REGISTER_KEYS, SimClient } from "./sim-client.ts";
import type { SimNodeEvents } from "./sim-node-options.ts";
import type { SimNode } from "./sim-node.ts";
import { MembershipPart } from "./membership/membership-part.ts";
import { SimLinks } from "./membership/sim-links.ts";
import { NodeFactory } from "./node-factory.ts";
import { Versions } from "./versions.ts";
import { StateAsker } from "./state-asker.ts";
import { Telling } from "./telling.ts";
import { Watch } from "./watch.ts";
import { NO_CANARY, type Canary } from "./canary.ts";
import { UsersPart } from "./users-part.ts";
import { VirtualNetwork } from "./virtual-network.ts";
import { Workload } from "./workload.ts";

export interface SimulationOptions {
  readonly seed: number;
  readonly canary?: Canary;
  /** Virtual length of the phase with faults. */
  readonly safetyMs?: number;
  /** Of the faults that strike by themselves, only so many. */
  readonly strikesMax?: number;
  /** Called with every line of the trace. */
  readonly onTrace?: (line: string) => void;
}

export interface SimulationResult {
  readonly seed: number;
  /** Empty when all went well. */
  readonly problems: readonly string[];
  /** Equal for equal runs. */
  readonly traceHash: string;
  readonly virtualMs: number;
  readonly steps: number;
  readonly safetyMs: number;
  readonly strikes: number;
  readonly appends: number;
  readonly reads: number;
  /** Searches for an order that reached their bound. */
  readonly undecided: number;
  readonly faults: ReadonlyMap<string, number>;
}

const SAFETY_MS = { low: 5000, high: 20_000 };
const CLIENTS = 4;
/** A healed cluster must be quiet and equal again within this time. */
const LIVENESS_MS = 60_000;
const LOOK_MS = 20;
/** A disk that is turned away knocks again after up to a minute. */
const MEMBERSHIP_MS = 180_000;
/**
 * After the faults: how long all must be abreast before the cluster counts as recovered (and at most how long that may take until
 * it is called well in any case), how long service is then watched, when a write is overdue.
 */
const WELL_MS = 500;
const SETTLE_MS = 5000;
const SERVICE_MS = 1600;
const ANSWER_MS = 1000;

/** Keeps the draws of encryption at rest apart from all others of a seed. */
const AT_REST_STREAM = 0x5ea1;

export function simulate(options: SimulationOptions): SimulationResult {
  return new World(options).run();
}

class World {
  readonly #options: SimulationOptions;
  readonly #canary: Canary;
  readonly #scheduler: Scheduler = new Scheduler();
  readonly #prng: Prng;
  readonly #network: VirtualNetwork;
  /** Those that run, or should: they come and go. */
  readonly #nodes: SimNode[];
  readonly #clients: SimClient[] = [];
  readonly #record: ClientRecord = new ClientRecord();
  readonly #watch: Watch;
  readonly #telling: Telling;
  readonly #faults: Faults;
  readonly #workload: Workload;
  readonly #users: UsersPart;
  readonly #atRest: AtRestPart;
  readonly #membership: MembershipPart;
  readonly #versions: Versions;
  readonly #states: StateAsker;
  /** Of encryption at rest alone: what the other seeds do stays as it is. */
  readonly #atRestPrng: Prng;
  readonly #shape: ClusterShape;
  /** Virtual length of the phase with faults. */
  readonly #safetyMs: number;
  readonly #problems: string[] = [];

  constructor(options: SimulationOptions) {
    this.#options = options;
    this.#canary = options.canary ?? NO_CANARY;
    this.#telling = new Telling(this.#scheduler, options.onTrace);
    this.#prng = new Prng(options.seed);
    this.#atRestPrng = new Prng(AT_REST_STREAM * 0x100000000 + (options.seed >>> 0));
    this.#shape = drawShape(this.#prng);
    const safetyMs = this.#prng.between(SAFETY_MS.low, SAFETY_MS.high);
    this.#safetyMs = options.safetyMs ?? safetyMs;
    this.#network = new VirtualNetwork(this.#scheduler, this.#prng.fork());
    this.#watch = new Watch(this.#shape.genesis.members.map(({ id }) => id));
    this.#network.onSend = (from, payload, to) => {
      const node = this.#nodes.find(({ member }) => member.id === from);
      this.#watch.sent(node, to, payload);
      this.#faults.sent(from, payload);
    };
    this.#network.onDeliver = (from, to, payload, bytes) => {
      this.#telling.delivered(from, to, payload, bytes);
      this.#watch.delivered(from, to, payload);
      this.#faults.delivered(to, payload);
    };
    const factory = new NodeFactory({
      shape: this.#shape,
      scheduler: this.#scheduler,
      network: this.#network,
      links: new SimLinks(this.#network),
      prng: this.#prng.fork(),
      atRestPrng: this.#atRestPrng.fork(),
      canary: this.#canary,
      events: this.#nodeEvents(),
      featureLevel: (name) => this.#versions.levelOf(name),
    });
    this.#nodes = factory.founders();
    this.#addClients();
    this.#workload = new Workload(this.#nodes, this.#scheduler, this.#prng.fork());
    this.#users = new UsersPart({
      nodes: this.#nodes,
      scheduler: this.#scheduler,
      prng: this.#prng.fork(),
      boundMs: this.#shape.limits.aclMaxStalenessMs,
      trace: (line) => this.#telling.line(line),
    });
    this.#faults = new Faults({
      nodes: this.#nodes,
      network: this.#network,
      scheduler: this.#scheduler,
      prng: this.#prng.fork(),
      shortReigns: this.#shape.shortReigns,
      dataLoss: this.#shape.losesData
        ? { voters: () => this.#membership.voters(), isWhole: () => this.#isWhole() }
        : null,
      killed: (node) => this.#nodeDied(node),
      note: (line) => this.#telling.line(line),
      strikesMax: options.strikesMax ?? Infinity,
    });
    this.#membership = new MembershipPart({
      nodes: this.#nodes,
      scheduler: this.#scheduler,
      prng: this.#prng.fork(),
      churns: this.#shape.churns,
      newNode: (name) => {
        const node = factory.newcomer(name);
        this.#atRest.equip(node);
        return node;
      },
      ended: (node) => this.#nodeDied(node),
      count: (kind) => this.#faults.count(kind),
      trace: (line) => this.#telling.line(line),
    });
    this.#states = new StateAsker({
      nodes: this.#nodes,
      scheduler: this.#scheduler,
      prng: this.#prng.fork(),
      count: (kind) => this.#faults.count(kind),
      trace: (line) => this.#telling.line(line),
    });
    this.#versions = new Versions({
      nodes: this.#nodes,
      isMixed: this.#shape.mixesVersions,
      scheduler: this.#scheduler,
      prng: this.#prng.fork(),
      restart: (node) => this.#faults.restart(node),
      count: (kind) => this.#faults.count(kind),
    });
    this.#atRest = new AtRestPart({
      nodes: this.#nodes,
      scheduler: this.#scheduler,
      prng: this.#atRestPrng.fork(),
      restart: (node) => this.#faults.restart(node),
      rotated: (node) => this.#faults.keyRotated(node),
      rewraps: (node) => this.#faults.keyRewrapped(node),
      count: (kind) => this.#faults.count(kind),
      problem: (sentence) => this.#problems.push(sentence),
    });
  }

  run(): SimulationResult {
    const mend = this.#canary.commitOldTerm ? breakCommitRule() : () => undefined;
    try {
      this.#setClocks();
      for (const node of this.#nodes) node.start();
      for (const client of this.#clients) client.start();
      this.#workload.start();
      // Those seeds are about what a leader leaves in the others' logs: more writes would only bury it.
      if (!this.#shape.shortReigns) this.#users.start();
      this.#atRest.start();
      this.#membership.start();
      this.#versions.start();
      this.#states.start();
      this.#faults.start();
      this.#runUntil(this.#safetyMs, () => false);
      this.#atRest.heal();
      this.#versions.stop();
      this.#faults.heal(this.#membership.voters());
      this.#membership.heal();
      this.#checkMajority();
      this.#faults.healAll();
      this.#versions.finish();
      this.#checkMembership();
      this.#checkService();
      this.#quieten();
      this.#settleDisks();
      this.#workload.stop();
      this.#atRest.stop();
      this.#runLiveness();
      this.#checkHistory();
      this.#checkDisks();
    } catch (error) {
      if (error instanceof Violation) this.#problems.push(error.message);
      else this.#problems.push(`${(error as Error).stack}`);
    } finally {
      mend();
    }
    return {
      seed: this.#options.seed,
      problems: this.#problems,
      traceHash: this.#telling.digest(),
      virtualMs: this.#scheduler.nowMs,
      steps: this.#watch.steps,
      safetyMs: this.#safetyMs,
      strikes: this.#faults.strikes,
      appends: this.#record.writes + this.#users.writes,
      reads: this.#record.reads,
      undecided: this.#record.undecided,
      faults: this.#faults.counts,
    };
  }

  #nodeDied(node: SimNode): void {
    for (const client of this.#clients) client.nodeDied(node);
    this.#users.nodeDied(node);
  }

  /** Nothing is missing anywhere, and members could be changed. */
  #isWhole(): boolean {
    return this.#membership.isReady && this.#membership.isSettled && isWhole(this.#nodes);
  }

  #setClocks(): void {
    const { clockDrift } = this.#shape;
    if (clockDrift === 0) return;
    this.#faults.count("clock drift");
    for (const node of this.#nodes) node.clock.rate = 1 + clockDrift * (this.#prng.next() * 2 - 1);
  }

  #nodeEvents(): SimNodeEvents {
    const watch = this.#watch;
    return {
      touched: (node) => watch.touched(node),
      logWritten: (node, entries, marks) => this.#logWritten(node, entries, marks),
      becameLeader: (node) => {
        watch.each((invariant) => invariant.becameLeader?.(node.facts()!, node.mirror));
        this.#faults.elected(node);
      },
      applied: (node, index, mark) => {
        this.#telling.applied(node.member, index, mark.sum);
        const facts = node.facts();
        if (facts === null) return;
        watch.each((invariant) => invariant.applied?.(facts, index, mark));
        this.#users.applied(node, index);
      },
      usersChanged: (change, index) => this.#users.changed(change, index),
      restarted: (node) => watch.each((invariant) => invariant.restarted?.(node.facts()!)),
      trace: (line) => this.#telling.line(line),
      failed: (node, error) => this.#nodeFailed(node, error),
      diskFailed: (node, error) => this.#telling.line(`${node.label} disk: ${error.message}`),
      ended: (node) => this.#faults.ended(node),
      rehoused: (node) => {
        this.#telling.line(`${node.label} is ${node.member.id}`);
        this.#atRest.equip(node);
      },
      givenUp: (node, error) => {
        this.#telling.line(`${node.label} does not start: ${error.message}`);
        if (!this.#faults.givenUp(node)) this.#nodeFailed(node, error);
      },
      repaired: (node, what) => {
        this.#telling.line(`${node.label}: ${what}`);
        this.#faults.count(what);
      },
      changeEnded: (_node, change) => this.#membership.changeEnded(change),
      removed: (node) => this.#membership.removed(node),
    };
  }

  #addClients(): void {
    for (let id = 0; id < CLIENTS; id++) {
      this.#clients.push(
        new SimClient({
          id,
          nodes: this.#nodes,
          scheduler: this.#scheduler,
          prng: this.#prng.fork(),
          record: this.#record,
          trace: (line) => this.#telling.line(line),
          problem: (sentence) => this.#problems.push(sentence),
          count: (kind) => this.#faults.count(kind),
        }),
      );
    }
  }

  /** Until that moment, or until it is done: looked at every `LOOK_MS`. */
  #runUntil(endMs: number, done: () => boolean): void {
    let looksAtMs = 0;
    while (this.#scheduler.nowMs < endMs) {
      if (this.#scheduler.nowMs >= looksAtMs) {
        if (done()) return;
        looksAtMs = this.#scheduler.nowMs + LOOK_MS;
      }
      if (!this.#scheduler.step()) return;
      this.#watch.stepped(this.#scheduler.nowMs);
      if (this.#problems.length === 0) this.#problems.push(...this.#users.problems);
      if (this.#problems.length > 0) return;
    }
  }

  /** Nobody asks for anything new. */
  #quieten(): void {
    this.#workload.trickle();
    this.#states.stop();
    this.#users.stop();
    for (const client of this.#clients) client.stop();
  }

  /** Every change that was begun ends, and every node that is wanted is a member. */
  #checkMembership(): void {
    // A node that does not keep up while clients write never becomes a voter.
    if (!this.#shape.keepsUp || this.#shape.chasesSnapshots) this.#quieten();
    const isAtRest = (): boolean => this.#faults.areOver && this.#membership.isSettled;
    this.#runUntil(this.#scheduler.nowMs + MEMBERSHIP_MS, isAtRest);
    if (this.#membership.isSettled || this.#problems.length > 0) return;
    this.#problems.push(
      `liveness: the membership did not come to rest:\n    ${this.#membership.describe()}`,
    );
  }

  /** With a minority that stays broken the rest does what clients ask, in bounded time. */
  #checkMajority(): void {
    const { abandoned } = this.#faults.scene;
    if (abandoned.size === 0 || !this.#shape.keepsUp) return;
    const rest = this.#nodes.filter((node) => !abandoned.has(node));
    for (const client of this.#clients) client.avoid(abandoned);
    this.#settle(rest);
    if (this.#shape.chasesSnapshots && !isAbreast(rest)) return;
    const fromMs = this.#scheduler.nowMs;
    this.#runUntil(fromMs + SERVICE_MS, () => false);
    this.#checkAnswers(fromMs, "with a majority only");
    for (const client of this.#clients) client.avoid(new Set());
  }

  /** Once it is whole again for a while, the cluster does what clients ask, at once. */
  #checkService(): void {
    const { keepsUp, chasesSnapshots } = this.#shape;
    if (!keepsUp || chasesSnapshots || this.#problems.length > 0) return;
    this.#settle(this.#nodes);
    this.#runUntil(this.#scheduler.nowMs + LIVENESS_MS, () => isAbreast(this.#nodes));
    this.#users.allInContact = true;
    const fromMs = this.#scheduler.nowMs;
    this.#runUntil(fromMs + SERVICE_MS, () => false);
    const untilMs = fromMs + SERVICE_MS - ANSWER_MS;
    this.#problems.push(...this.#users.overdue({ fromMs, untilMs, answerMs: ANSWER_MS }));
    this.#checkAnswers(fromMs, "long after the faults");
  }

  /** While clients write: a segment stays until a snapshot is behind all that was ever in it, entries that were taken back, too. */
  #settleDisks(): void {
    if (this.#problems.length > 0) return;
    this.#runUntil(this.#scheduler.nowMs + LIVENESS_MS, () => this.#atRest.isSettled);
  }

  #checkAnswers(fromMs: number, when: string): void {
    const untilMs = fromMs + SERVICE_MS - ANSWER_MS;
    for (const { input, startMs, endMs, outcome, isAbandoned } of this.#record.lists) {
      if (startMs < fromMs || startMs > untilMs || isAbandoned) continue;
      if (outcome === "ok" && endMs - startMs <= ANSWER_MS) continue;
      const what = input.kind === "append" ? input.element : "a read";
      this.#problems.push(
        `liveness: ${when} ${what} was ${outcome} after ${endMs - startMs} ms, ${this.#describeStates()}`,
      );
    }
  }

  /** Until these have been abreast behind one leader for a while. */
  #settle(nodes: readonly SimNode[]): void {
    let sinceMs = this.#scheduler.nowMs;
    this.#runUntil(sinceMs + SETTLE_MS, () => {
      const { nowMs } = this.#scheduler;
      if (!hasLeader(nodes) || !isAbreast(nodes)) sinceMs = nowMs;
      return nowMs - sinceMs >= WELL_MS;
    });
  }

  #runLiveness(): void {
    if (this.#problems.length > 0) return;
    const endMs = this.#scheduler.nowMs + LIVENESS_MS;
    const isAllDone = (): boolean =>
      this.#isQuiet() && this.#atRest.isSettled && hasConverged(this.#nodes);
    this.#runUntil(endMs, isAllDone);
    if (this.#problems.length > 0) return;
    if (!this.#isQuiet())
      this.#problems.push("liveness: a request did not end after the faults did");
    if (!this.#atRest.isSettled)
      this.#problems.push("liveness: files at rest were not brought under the newest key");
    if (!hasConverged(this.#nodes))
      this.#problems.push(`liveness: the nodes did not come together: ${this.#describeStates()}`);
    const hashes = new Set(this.#nodes.map((node) => node.replica?.machine.stateHash()));
    if (hasConverged(this.#nodes) && hashes.size !== 1)
      this.#problems.push(`the nodes hold different states: ${this.#describeStates()}`);
  }

  /** Nobody waits for an answer. */
  #isQuiet(): boolean {
    return this.#clients.every((client) => client.isIdle) && this.#users.isIdle;
  }

  #checkHistory(): void {
    if (this.#problems.length > 0) return;
    const [node] = this.#nodes;
    const final = {
      atMs: this.#scheduler.nowMs,
      lists: new Map(CLIENT_KEYS.map((key) => [key, splitTokens(node.valueFrom(key, 0))] as const)),
      registers: new Map(
        REGISTER_KEYS.map((key) => [key, node.valueFrom(key, 0) || null] as const),
      ),
      counters: new Map(COUNTER_KEYS.map((key) => [key, Number(node.valueFrom(key, 0))] as const)),
    };
    this.#problems.push(...judge(this.#record, final), ...this.#users.finish());
  }

  /** What the disks hold in the end, and what would become of one that changes a bit. */
  #checkDisks(): void {
    if (this.#problems.length > 0) return;
    for (const { member, disk, atRest } of this.#nodes) {
      for (const { path, bytes } of disk.files()) {
        this.#telling.line(`${member.name} ${path} ${crc32(bytes)}`);
      }
      if (atRest.isSealed) this.#problems.push(...valuesInTheClear(member.name, disk));
    }
    if (this.#problems.length > 0) return;
    const node = this.#atRestPrng.pick(this.#nodes);
    const stopped = {
      name: node.member.name,
      disk: node.disk,
      places: node.places,
      keys: this.#canary.inTheClear ? null : node.atRest.keys(),
      randomBytes: node.atRest.randomBytes,
    };
    this.#problems.push(...damageNotTold(stopped, this.#atRestPrng, this.#canary.cutDamage));
  }

  #logWritten(node: SimNode, entries: readonly Entry[], marks: readonly EntryMark[]): void {
    const facts = node.facts();
    if (facts !== null)
      this.#watch.each((invariant) => invariant.logWritten?.(facts, node.mirror, entries, marks));
  }

  #nodeFailed(node: SimNode, error: Error): void {
    if (error instanceof Violation) throw error;
    // With a defect put in on purpose, damage that a node finds in its own files is a catch as well.
    this.#problems.push(`${node.member.name} stopped: ${error.stack ?? error.message}`);
  }

  #describeStates(): string {
    return JSON.stringify(this.#nodes.map((node) => node.facts()));
  }
}
