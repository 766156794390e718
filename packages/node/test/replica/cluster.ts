/** Replicas on virtual time, joined by a network in memory whose links can be cut one way at a time. */
import type { UsersOutcome, UsersProposal } from "../../src/replica/access-state.ts";
import { createCommandTable } from "../../src/commands/all-commands.ts";
import { FEATURE_LEVEL_MAX } from "../../src/members/feature-level.ts";
import {
  DEFAULT_REPLICA_LIMITS,
  initialConfiguration,
  type ReplicaLimits,
} from "../../src/replica/options.ts";
import { Replica } from "../../src/replica/replica.ts";
import { restoreSnapshot } from "../../src/replica/snapshot-installer.ts";
import { StateMachine } from "../../src/replica/state-machine.ts";
import type { PeerPayload } from "../../src/replica/transport.ts";
import { RespReply } from "../../src/resp/encoder.ts";
import { accessPorts } from "../../src/start/access-ports.ts";
import { MemoryDisk } from "./memory-disk.ts";

const TABLE = createCommandTable();
const ACCESS = accessPorts(TABLE);
const LATENCY_MS = 1;

interface Event {
  readonly atMs: number;
  readonly number: number;
  readonly run: () => void;
}

/** What became of something that ends later. */
export interface Pending<T> {
  outcome: T | null;
  endedAtMs: number;
}

export class TestNode {
  readonly id: string;
  readonly disk: MemoryDisk = new MemoryDisk();
  readonly #cluster: TestCluster;
  replica!: Replica;
  isUp = false;
  /** What was told about its disk: it has stopped answering (true), or answers again. */
  readonly stalls: boolean[] = [];
  /** Counts starts: what belongs to an earlier one does nothing any more. */
  life = 0;
  /** The feature level that its version supports. */
  supportedLevel = FEATURE_LEVEL_MAX;

  constructor(cluster: TestCluster, id: string) {
    this.#cluster = cluster;
    this.id = id;
  }

  get appliedIndex(): number {
    return this.replica.machine.appliedIndex;
  }

  userNames(): string[] {
    return this.replica.access
      .users()
      .all()
      .map(({ name }) => name);
  }

  start(): void {
    const life = ++this.life;
    const cluster = this.#cluster;
    const later = (run: () => void): void => cluster.after(1, () => life === this.life && run());
    const snapshots = this.disk.snapshots(later);
    const newMachine = (): StateMachine => cluster.newMachine(this.supportedLevel);
    const machine = newMachine();
    const open = (): void => {
      this.isUp = true;
      this.replica = new Replica(
        {
          nodeId: this.id,
          genesis: cluster.genesis,
          incarnation: life * 65_536,
          limits: cluster.limits,
          recovered: {
            hardState: this.disk.hardState,
            entries: [...this.disk.entries],
            snapshot: snapshots.latest(),
            machine,
          },
          newMachine,
        },
        {
          clock: {
            nowMs: () => 1_700_000_000_000 + cluster.nowMs,
            monotonicMs: () => cluster.nowMs,
          },
          random: () => cluster.random(),
          defer: (run) => cluster.after(0.01, () => life === this.life && run()),
          log: this.disk.log(later),
          snapshots,
          transport: cluster.transport(this.id),
          featureLevelOf: (peer) => cluster.levelOf(this.id, peer),
          commands: TABLE,
          events: {
            roleChanged: () => undefined,
            commandThrew: (name, error) => cluster.failures.push(`${name} ${String(error)}`),
            keysExpired: () => undefined,
            snapshotTaken: () => undefined,
            snapshotInstalled: () => undefined,
            snapshotFailed: (error) => cluster.failures.push(error.message),
            diskSpace: () => undefined,
            diskStalled: (stalled) => this.stalls.push(stalled),
            failed: (error) => cluster.failures.push(error.stack ?? error.message),
            roundDone: () => undefined,
          },
        },
      );
      const tick = (): void => {
        if (life !== this.life) return;
        this.replica.tick();
        cluster.after(cluster.limits.tickMs, tick);
      };
      cluster.after(cluster.random() * cluster.limits.tickMs, tick);
    };
    const latest = snapshots.latest();
    if (latest === null) open();
    else {
      restoreSnapshot(snapshots, latest, machine, (error) => {
        if (error === null) open();
        else cluster.failures.push(error.message);
      });
    }
  }

  kill(): void {
    this.life++;
    this.isUp = false;
    this.#cluster.linksOf(this.id, "broken");
  }

  propose(proposal: UsersProposal, actorId: number | null = null): Pending<UsersOutcome> {
    const pending: Pending<UsersOutcome> = { outcome: null, endedAtMs: 0 };
    this.replica.access.propose(proposal, actorId, (outcome) => {
      if (pending.outcome !== null) this.#cluster.failures.push("done was called twice");
      pending.outcome = outcome;
      pending.endedAtMs = this.#cluster.nowMs;
    });
    return pending;
  }

  /** Writes a command under a user, as the edge would once it has allowed it. */
  write(userId: number, ...words: readonly string[]): Pending<string> {
    const reply = new RespReply();
    const pending: Pending<string> = { outcome: null, endedAtMs: 0 };
    const end = (outcome: string): void => {
      pending.outcome = outcome;
      pending.endedAtMs = this.#cluster.nowMs;
    };
    const text = words.map((word) => `$${word.length}\r\n${word}\r\n`).join("");
    const bytes = Buffer.from(`*${words.length}\r\n${text}`);
    const client = {
      replyForWrite: () => reply,
      writeApplied: () => end(reply.takePending().toString()),
      writeFailed: (errorText: string) => end(errorText),
    };
    const refusal = this.replica.submit(bytes, 0, bytes.length, client, userId);
    if (refusal !== null) end(refusal);
    return pending;
  }
}

export class TestCluster {
  readonly nodes: TestNode[];
  readonly limits: ReplicaLimits;
  readonly genesis;
  /** What may never happen and did. */
  readonly failures: string[] = [];
  nowMs = 0;
  /** Payloads that are not delivered. */
  drops: (from: string, to: string, payload: PeerPayload) => boolean = () => false;
  /** Whether the version of a node lends snapshots and takes lent ones. */
  lends: (id: string) => boolean = () => true;
  /** What a payload becomes on its way. */
  rewrite: (to: string, payload: PeerPayload) => PeerPayload = (_to, payload) => payload;
  #events: Event[] = [];
  #eventNumber = 0;
  #seed = 42;
  readonly #cuts: Set<string> = new Set();

  constructor(size: number, limits: Partial<ReplicaLimits> = {}) {
    this.limits = { ...DEFAULT_REPLICA_LIMITS, ...limits };
    const members = Array.from({ length: size }, (_, at) => ({
      id: `00000000-0000-4000-8000-00000000000${at + 1}`,
      name: `node${at + 1}`,
      peerAddress: `10.0.0.${at + 1}:16379`,
      clientAddress: `10.0.0.${at + 1}:6379`,
    }));
    this.genesis = { clusterId: "11111111-1111-4111-8111-111111111111", members };
    this.nodes = members.map(({ id }) => new TestNode(this, id));
    for (const node of this.nodes) node.start();
  }

  /** A node of another version, or with another disk. It is started by the test. */
  addNode(id: string): TestNode {
    const node = new TestNode(this, id);
    this.nodes.push(node);
    return node;
  }

  /** What a node hears of another's feature level. */
  levelOf(from: string, to: string): number | null {
    const node = this.nodes.find(({ id }) => id === to);
    return node?.isUp === true && !this.#isCut(from, to) ? node.supportedLevel : null;
  }

  newMachine(supportedLevel: number): StateMachine {
    return new StateMachine({
      commands: TABLE,
      hashSeed: 1,
      configuration: initialConfiguration(this.genesis),
      members: this.genesis.members,
      access: ACCESS,
      supportedLevel,
    });
  }

  random(): number {
    this.#seed = (Math.imul(this.#seed, 1_103_515_245) + 12_345) & 0x7fffffff;
    return this.#seed / 0x80000000;
  }

  after(delayMs: number, run: () => void): void {
    const event = { atMs: this.nowMs + delayMs, number: this.#eventNumber++, run };
    let at = this.#events.length;
    while (at > 0 && this.#events[at - 1].atMs > event.atMs) at--;
    this.#events.splice(at, 0, event);
  }

  /** Lets time pass until `done`, or throws after `withinMs`. */
  runUntil(what: string, done: () => boolean, withinMs = 60_000): void {
    const endMs = this.nowMs + withinMs;
    while (!done()) {
      const event = this.#events.shift();
      if (event === undefined || event.atMs > endMs) throw new Error(`it never came to: ${what}`);
      this.nowMs = event.atMs;
      event.run();
      if (this.failures.length > 0) throw new Error(this.failures.join("\n"));
    }
  }

  run(forMs: number): void {
    let over = false;
    this.after(forMs, () => {
      over = true;
    });
    this.runUntil("the end", () => over, forMs + 1);
  }

  /** The one leader that a majority follows; waits for it, and for all that are up to honour credentials. */
  leader(): TestNode {
    const up = (): TestNode[] => this.nodes.filter((node) => node.isUp);
    const leads = (node: TestNode): boolean =>
      node.replica.role() === "leader" && this.reachable(node).length * 2 > this.nodes.length;
    this.runUntil("a leader", () => up().some(leads));
    return up().find(leads)!;
  }

  /** All that are up honour credentials and have applied the same. */
  settle(): void {
    const up = (): TestNode[] => this.nodes.filter((node) => node.isUp);
    this.leader();
    this.runUntil(
      "peace",
      () =>
        up().every((node) => node.replica.access.credentialsRefusal() === null) &&
        new Set(up().map((node) => node.appliedIndex)).size === 1,
    );
  }

  followers(): TestNode[] {
    const leader = this.leader();
    return this.nodes.filter((node) => node !== leader && node.isUp);
  }

  /** Who can speak with the node, itself included. */
  reachable(node: TestNode): TestNode[] {
    return this.nodes.filter(
      (other) =>
        other === node ||
        (other.isUp && !this.#isCut(node.id, other.id) && !this.#isCut(other.id, node.id)),
    );
  }

  cut(from: TestNode, to: TestNode): void {
    this.#cuts.add(`${from.id}>${to.id}`);
  }

  isolate(alone: TestNode): void {
    for (const other of this.nodes) {
      if (other === alone) continue;
      this.cut(alone, other);
      this.cut(other, alone);
    }
  }

  heal(): void {
    this.#cuts.clear();
  }

  linksOf(id: string, state: "broken"): void {
    for (const other of this.nodes) {
      if (other.id === id || !other.isUp || state !== "broken") continue;
      this.after(LATENCY_MS, () => other.isUp && other.replica.onDisconnected(id));
    }
  }

  transport(from: string): ConstructorParameters<typeof Replica>[1]["transport"] {
    return {
      send: (to, payload) => this.#send(from, to, payload),
      connected: (peer) =>
        !this.#isCut(from, peer) && this.nodes.some(({ id, isUp }) => id === peer && isUp),
      lendsSnapshots: (peer) => this.levelOf(from, peer) !== null && this.lends(peer),
      flush: () => undefined,
    };
  }

  #send(from: string, to: string, payload: PeerPayload): boolean {
    const receiver = this.nodes.find(({ id }) => id === to);
    const sender = this.nodes.find(({ id }) => id === from)!;
    if (receiver?.isUp !== true || this.#isCut(from, to)) return false;
    if (this.drops(from, to, payload)) return true;
    // The bytes of a forward are the receiver's to write into.
    const copy =
      payload.kind === "forward"
        ? { ...payload, batch: Buffer.from(payload.batch) }
        : this.rewrite(to, payload);
    const timeMs = sender.replica.logicalNowMs();
    const { life } = receiver;
    this.after(LATENCY_MS, () => {
      if (life === receiver.life && !this.#isCut(from, to))
        receiver.replica.onPayload(from, copy, timeMs);
    });
    return true;
  }

  #isCut(from: string, to: string): boolean {
    return this.#cuts.has(`${from}>${to}`);
  }
}
