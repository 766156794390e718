/**
 * One node of the simulated cluster: the real replica, state machine, log format and snapshots, on virtual time, disk
 * and network. It can be paused, killed (its unsynced writes may be lost), started again from its disk, and lose its disk: then it
 * is another node under the same name.
 */
import {
  FEATURE_LEVEL_MAX,
  MembershipService,
  initialConfiguration,
  restoreSnapshot,
  type Member,
  type MemberRecord,
  type Replica,
} from "@ferrite/node/simulation";
import type { Entry } from "@ferrite/raft";
import { StorageError, type RepairPlaces } from "@ferrite/storage";
import { crc32 } from "node:zlib";
import type { EntryMark, NodeFacts } from "../invariants/observer.ts";
import type { NodeAtRest } from "./at-rest/node-at-rest.ts";
import { openDisk, PastUnknown, repairIsOver, type OpenedDisk } from "./disk-opening.ts";
import { NodeEdge } from "./edge/node-edge.ts";
import type { ClientEvents, VirtualStream } from "./edge/virtual-stream.ts";
import { isKnownAt } from "./known-payloads.ts";
import { MachineClock } from "./life-clock.ts";
import { Mirror } from "./mirror.ts";
import { DATA_DIRECTORY, NodeHome } from "./node-home.ts";
import { isDiskFault, nextIncarnation, ObservedMachine } from "./node-life.ts";
import { newReplica, replicaLimits } from "./node-replica.ts";
import type { Prng } from "./prng.ts";
import type { Scheduler } from "./scheduler.ts";
import type { SimNodeOptions } from "./sim-node-options.ts";
import type { VirtualDisk } from "./virtual-disk.ts";
import { VirtualLogWriter } from "./virtual-log-writer.ts";

/** As in production: idle clients, those that take too long to go; the membership. */
const HOUSEKEEPING_MS = 250;
const MEMBERSHIP_TICK_MS = 200;
/** A stop that takes longer is given up. */
const STOP_WITHIN_MS = 1000;
const CLOSING_MS_MAX = 100;
const PRIORITY = 50;

export class SimNode {
  readonly #home: NodeHome;
  mirror: Mirror = new Mirror();
  readonly clock: MachineClock;
  /** Counts starts: what belongs to an earlier life does nothing any more. */
  life = 0;
  replica: Replica | null = null;
  #edge: NodeEdge | null = null;
  #connections = 0;
  /** Of the version that runs in this life. */
  #featureLevel = FEATURE_LEVEL_MAX;
  readonly #options: SimNodeOptions;
  #writer: VirtualLogWriter | null = null;
  #paused = false;
  #stopping = false;
  #isRepairing = false;
  #heldBack: (() => void)[] = [];

  constructor(options: SimNodeOptions) {
    this.#options = options;
    this.clock = new MachineClock(options.scheduler);
    this.#home = new NodeHome(options);
  }

  get member(): Member {
    return this.#home.member;
  }

  /** Unlike that of any other disk. */
  get label(): string {
    return this.#home.label;
  }

  get disk(): VirtualDisk {
    return this.#home.disk;
  }

  get atRest(): NodeAtRest {
    return this.#home.atRest;
  }

  get places(): RepairPlaces {
    return this.#home.places;
  }

  get isUp(): boolean {
    return this.replica !== null;
  }

  get isPaused(): boolean {
    return this.#paused;
  }

  facts(): NodeFacts | null {
    const core = this.replica?.core;
    if (core === undefined) return null;
    return {
      name: this.label,
      role: core.role(),
      term: core.term(),
      commitIndex: core.commitIndex(),
      appliedIndex: this.replica!.machine.appliedIndex,
      lastIndex: core.lastIndex(),
      servesReads: this.replica!.readRefusal() === null,
    };
  }

  /** Users that could write here now, as the edge sees it; none while credentials are refused. */
  honouredUsers(): number[] {
    const { replica } = this;
    if (replica === null || this.#paused) return [];
    if (!this.#options.canary.honourStale && replica.access.credentialsRefusal() !== null)
      return [];
    const nowMs = replica.logicalNowMs();
    return replica.access
      .users()
      .all()
      .filter(({ id, isEnabled, expiresAtMs }) => {
        return id > 0 && isEnabled && (expiresAtMs === 0 || expiresAtMs > nowMs);
      })
      .map(({ id }) => id);
  }

  /** The value of a key behind its first bytes. */
  valueFrom(key: string, skipBytes: number): string {
    const keyspace = this.replica?.machine.keyspace;
    const bytes = Buffer.from(key);
    const ref = keyspace?.find(bytes, 0, bytes.length, 0) ?? 0;
    if (keyspace === undefined || ref === 0) return "";
    const start = keyspace.valueStart(ref);
    const end = start + keyspace.valueLength(ref);
    return Buffer.from(keyspace.valueBuffer(ref).subarray(start + skipBytes, end)).toString(
      "latin1",
    );
  }

  /** A client connects, from this machine; null when nothing listens. */
  connect(client: ClientEvents, prng: Prng): VirtualStream | null {
    const edge = this.#edge;
    if (edge === null || this.#stopping) return null;
    const { life } = this;
    const { scheduler } = this.#options;
    const inNode = (run: () => void): void => this.#gate(life, run);
    return edge.connect({ scheduler, inNode, prng }, client, 1024 + this.#connections++);
  }

  /** An operator puts an empty disk in: under the old name it is another node. It has to be down. */
  replaceDisk(): void {
    this.#home.replaceDisk();
    this.#options.events.rehoused?.(this);
  }

  /** Comes up from what the disk holds. When that has no room for what a start writes it stays down. */
  start(): void {
    try {
      this.#start();
    } catch (error) {
      this.life++;
      if (isDiskFault(error)) this.#options.events.diskFailed(this, error as Error);
      else if (error instanceof StorageError && this.#options.events.givenUp !== undefined)
        this.#options.events.givenUp(this, error);
      else throw error;
    }
  }

  #start(): void {
    const life = ++this.life;
    this.#featureLevel = this.#options.featureLevel?.() ?? FEATURE_LEVEL_MAX;
    this.disk.makeDirectory(DATA_DIRECTORY);
    let opened: OpenedDisk;
    try {
      opened = this.#open(life);
    } catch (error) {
      if (!(error instanceof PastUnknown)) throw error;
      this.#home.renew();
      this.#options.events.rehoused?.(this);
      opened = this.#open(life);
    }
    const incarnation = nextIncarnation(this.disk, DATA_DIRECTORY);
    this.#isRepairing = opened.isRepairing;
    const machine = this.#newMachine(life);
    const finish = (): void => {
      this.mirror = new Mirror();
      this.mirror.reset(opened.snapshot?.index ?? 0);
      for (const entry of opened.recovered.entries) this.mirror.write(entry);
      this.#run({ life, opened, machine, incarnation });
    };
    if (opened.snapshot === null) {
      finish();
      return;
    }
    restoreSnapshot(opened.snapshots, opened.snapshot, machine, (error) => {
      if (life !== this.life) return;
      if (error !== null) this.#options.events.failed(this, error);
      else finish();
    });
  }

  #open(life: number): OpenedDisk {
    const { genesis, diskSpeed, prng, events } = this.#options;
    const schedule = this.#lifeScheduler(life);
    const { log, snapshots, notePath } = this.places;
    const common = { encryption: this.atRest.open(), randomBytes: this.atRest.randomBytes };
    return openDisk({
      disk: this.disk,
      hasPeers: genesis.members.some(({ id }) => id !== this.member.id),
      repaired: (what) => events.repaired?.(this, what),
      places: {
        log: { ...log, ...common, randomSalt: () => prng.nextUint32() },
        snapshots: {
          ...snapshots,
          ...common,
          schedule: (run: () => void) =>
            schedule.after(diskSpeed.stepMs * Math.min(this.disk.slowness, 10), run),
        },
        notePath,
      },
    });
  }

  /** Power off: everything in memory is gone, and of the disk what was not synced may be. */
  kill(): void {
    this.#writer?.kill();
    this.#end();
    this.disk.crash();
  }

  /** The process dies and the machine does not (kill -9). */
  killProcess(): void {
    this.#writer?.end();
    this.#end();
    this.disk.processEnded();
  }

  /** An orderly stop: clients are answered, the log is closed, the process ends. `stopped` is told of the end. */
  stop(stopped: () => void): void {
    if (this.#stopping) return;
    this.#stopping = true;
    const { life } = this;
    const end = (): void => {
      if (life !== this.life) return;
      this.killProcess();
      stopped();
    };
    const { scheduler, prng } = this.#options;
    this.replica!.stop();
    this.atRest.detach();
    // A process has more to close than its log, and what was begun before goes on meanwhile.
    this.#writer!.close(() => scheduler.after(prng.next() * CLOSING_MS_MAX, end));
    // On a full disk the log does not close; nobody waits for what was never acknowledged.
    scheduler.after(STOP_WITHIN_MS, end);
  }

  #end(): void {
    this.life++;
    this.#stopping = false;
    this.#writer = null;
    this.replica = null;
    this.#edge = null;
    this.atRest.detach();
    this.#paused = false;
    this.#heldBack = [];
    this.#options.network.detach(this.member.id);
    this.#options.links?.detach(this.member.id);
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    const held = this.#heldBack;
    this.#heldBack = [];
    for (const run of held) run();
  }

  #run(parts: {
    readonly life: number;
    readonly opened: OpenedDisk;
    readonly machine: ObservedMachine;
    readonly incarnation: number;
  }): void {
    const { life, opened, machine, incarnation } = parts;
    const options = this.#options;
    const { network, prng, events } = options;
    const schedule = this.#lifeScheduler(life);
    const failed = (error: Error): void => this.#failed(error);
    const writer = this.#newWriter(opened, schedule);
    this.#writer = writer;
    const replica = newReplica({
      node: this,
      options,
      opened,
      writer,
      machine,
      incarnation,
      clock: this.clock,
      schedule,
      newMachine: () => this.#newMachine(life),
      failed,
      roundDone: () => this.#edge?.server.flush(),
    });
    this.replica = replica;
    network.attach(this.member.id, {
      timeMs: () => replica.logicalNowMs(),
      events: {
        onPayload: (from, payload, timeMs) =>
          this.#gate(life, () => {
            if (isKnownAt(this.#featureLevel, payload)) replica.onPayload(from, payload, timeMs);
            else failed(new Error(`${payload.kind} is unknown to this version`));
          }),
        onConnected: (peer) => this.#gate(life, () => replica.onConnected(peer)),
        onDisconnected: (peer) => this.#gate(life, () => replica.onDisconnected(peer)),
      },
    });
    this.#openEdge(replica, schedule);
    this.#join(replica, schedule);
    replica.access.onUsersChanged((change, index) => {
      if (change !== null && life === this.life) events.usersChanged(change, index);
    });
    const { snapshots } = opened;
    this.atRest.attach({ log: writer, snapshots, replica, schedule, onFailed: failed });
    if (life > 1) events.restarted(this);
    const { tickMs } = replicaLimits(options);
    const tick = (): void => {
      replica.tick();
      this.#lookAtRepair(replica);
      schedule.after(this.clock.truly(tickMs), tick);
    };
    schedule.after(prng.next() * tickMs, tick);
  }

  #newWriter(opened: OpenedDisk, scheduler: Pick<Scheduler, "after">): VirtualLogWriter {
    const { prng, diskSpeed, canary } = this.#options;
    return new VirtualLogWriter({
      log: opened.log,
      disk: this.disk,
      scheduler,
      prng: prng.fork(),
      speed: diskSpeed,
      canary,
      observer: {
        logWritten: (entries) => this.#logWritten(entries),
        logReset: (index) => this.mirror.reset(index),
      },
      events: {
        onFailure: (error) => this.#failed(error),
        onSpace: (full) => this.replica?.diskFull(full),
      },
    });
  }

  #openEdge(replica: Replica, schedule: Pick<Scheduler, "after">): void {
    const { edge, genesis, prng } = this.#options;
    if (edge === undefined) return;
    const opened = new NodeEdge(edge, {
      replica,
      genesis,
      self: this.member,
      wallClockMs: this.clock.wallMs,
      monotonicMs: this.clock.monotonicMs,
      prng: prng.fork(),
      defer: (run) => schedule.after(0, run),
    });
    this.#edge = opened;
    every(schedule, HOUSEKEEPING_MS, () => opened.server.keepHouse());
  }

  /** The membership of this life: links follow it, and a node that was removed ends. */
  #join(replica: Replica, schedule: Pick<Scheduler, "after">): void {
    const { links, events } = this.#options;
    if (links === undefined) return;
    const nodeId = this.member.id;
    const self = (): MemberRecord => this.#record();
    const isMember = (): boolean => replica.machine.members.get(nodeId) !== undefined;
    const service = new MembershipService({
      nodeId,
      members: replica.members,
      links: links.attach({ nodeId, schedule, self, isMember }),
      monotonicMs: this.clock.monotonicMs,
      self,
      joinsAnybody: () => false,
      leads: () => replica.role() === "leader",
      isCaughtUp: () => replica.service.isCaughtUp,
      changeEnded: (change) => events.changeEnded?.(this, change),
      removed: () => schedule.after(0, () => events.removed?.(this)),
    });
    service.start();
    every(schedule, MEMBERSHIP_TICK_MS, () => service.tick());
  }

  /** Of the version that runs. */
  get featureLevel(): number {
    return this.#featureLevel;
  }

  #record(): MemberRecord {
    const featureLevel = this.#featureLevel;
    const version = `1.${featureLevel}.0`;
    return { ...this.member, tlsAddress: null, priority: PRIORITY, featureLevel, version };
  }

  #lookAtRepair(replica: Replica): void {
    if (!this.#isRepairing || replica.core.floor() !== null) return;
    this.#isRepairing = false;
    repairIsOver(this.disk, this.places);
    this.#options.events.repaired?.(this, "repair is over");
  }

  #newMachine(life: number): ObservedMachine {
    const machine = new ObservedMachine({
      commands: this.#options.table,
      hashSeed: this.#options.hashSeed ?? 7,
      configuration: initialConfiguration(this.#options.genesis),
      members: this.#options.genesis.members,
      access: this.#options.access,
      supportedLevel: this.#featureLevel,
    });
    machine.onApply = (entry) => {
      if (life !== this.life) return;
      this.#options.events.applied(this, entry.index, {
        term: entry.term,
        sum: crc32(entry.data, entry.kind),
      });
    };
    return machine;
  }

  #logWritten(entries: readonly Entry[]): void {
    const before = this.mirror;
    const marks = entries.map((entry, position): EntryMark => {
      const mark = before.markOf(entry);
      const previous = entries[position - 1];
      return previous === undefined ? mark : { ...mark, previousTerm: previous.term };
    });
    this.#options.events.logWritten(this, entries, marks);
    for (const entry of entries) before.write(entry);
  }

  #lifeScheduler(life: number): Pick<Scheduler, "after"> {
    return {
      after: (delayMs, run) => this.#options.scheduler.after(delayMs, () => this.#gate(life, run)),
    };
  }

  /** Runs now, after the pause, or never when the life it belongs to is over. */
  #gate(life: number, run: () => void): void {
    if (life !== this.life) return;
    if (!this.#paused) {
      this.#options.events.touched?.(this);
      run();
    } else {
      this.#heldBack.push(() => this.#gate(life, run));
    }
  }

  /** A disk that fails ends the node, as in production; anything else is a problem of its own. */
  #failed(error: Error): void {
    if (!isDiskFault(error)) {
      this.#options.events.failed(this, error);
      return;
    }
    this.replica?.stop();
    this.atRest.detach();
    this.#options.events.diskFailed(this, error);
    this.#options.events.ended(this);
  }
}

function every(schedule: Pick<Scheduler, "after">, intervalMs: number, run: () => void): void {
  schedule.after(intervalMs, () => {
    run();
    every(schedule, intervalMs, run);
  });
}
