/** A cluster on virtual time whose nodes carry their membership services, so that nodes come and go as they would. */
import type { JoinRequest, LinkedMembers } from "../../src/members/membership-ports.ts";
import type { MemberChange, MemberRecord } from "../../src/members/member-record.ts";
import type { AskedChange, OperatorMemberWrite } from "../../src/members/member-writes.ts";
import type { MemberOutcome } from "../../src/members/membership-ports.ts";
import { MembershipService } from "../../src/members/membership-service.ts";
import type { ReplicaLimits } from "../../src/replica/options.ts";
import { TestCluster, type Pending, type TestNode } from "../replica/cluster.ts";

const SERVICE_TICK_MS = 100;
const KNOCK_MS = 500;

/** What a node is told by its service, and says to it. */
export class MemberNode {
  readonly node: TestNode;
  readonly name: string;
  readonly peerAddress: string;
  readonly #cluster: MemberCluster;
  linked: LinkedMembers | null = null;
  removedText: string | null = null;
  readonly ended: MemberChange[] = [];
  priority = 50;
  anybody = false;
  #hear: (request: JoinRequest) => void = () => undefined;

  constructor(cluster: MemberCluster, node: TestNode, name: string) {
    this.#cluster = cluster;
    this.node = node;
    this.name = name;
    this.peerAddress = `${name}.test:16379`;
  }

  get id(): string {
    return this.node.id;
  }

  get isUp(): boolean {
    return this.node.isUp;
  }

  get table(): TestNode["replica"]["machine"]["members"] {
    return this.node.replica.machine.members;
  }

  hear(request: JoinRequest): void {
    this.#hear(request);
  }

  /** As production does it: a removed node stops. */
  attach(): void {
    const { node } = this;
    const { life, replica } = node;
    const { timers } = this.#cluster;
    const service = new MembershipService({
      nodeId: this.id,
      members: replica.members,
      links: {
        setMembers: (linked) => void (this.linked = linked),
        onJoinRequest: (listener) => void (this.#hear = listener),
        onRemoved: () => undefined,
        featureLevelOf: (id) => timers.levelOf(this.id, id),
      },
      monotonicMs: () => timers.nowMs,
      self: () => this.record(),
      joinsAnybody: () => this.anybody,
      leads: () => replica.role() === "leader",
      isCaughtUp: () => replica.service.isCaughtUp,
      changeEnded: (change) => this.ended.push(change),
      removed: (text) => {
        this.removedText = text;
        timers.after(1, () => this.stop());
      },
    });
    service.start();
    const tick = (): void => {
      if (life !== node.life || !node.isUp) return;
      service.tick();
      timers.after(SERVICE_TICK_MS, tick);
    };
    timers.after(SERVICE_TICK_MS, tick);
  }

  stop(): void {
    this.node.replica.stop();
    this.node.kill();
  }

  record(): MemberRecord {
    return {
      id: this.id,
      name: this.name,
      peerAddress: this.peerAddress,
      clientAddress: `${this.name}.test:6379`,
      tlsAddress: null,
      priority: this.priority,
      featureLevel: this.node.supportedLevel,
      version: "1.2.3",
    };
  }
}

export class MemberCluster {
  readonly timers: TestCluster;
  readonly nodes: MemberNode[];
  #disks = 0;

  constructor(size: number, limits: Partial<ReplicaLimits> = {}) {
    this.timers = new TestCluster(size, { electionTimeoutMs: 200, ...limits });
    this.nodes = this.timers.nodes.map(
      (node, at) => new MemberNode(this, node, this.timers.genesis.members[at].name),
    );
    for (const node of this.nodes) node.attach();
  }

  /** A node with an empty disk: it knocks at all others until it is a member. */
  newDisk(name: string): MemberNode {
    const id = `99999999-0000-4000-8000-${String(++this.#disks).padStart(12, "0")}`;
    const node = new MemberNode(this, this.timers.addNode(id), name);
    this.nodes.push(node);
    this.start(node);
    const knock = (): void => {
      if (!node.isUp) return;
      const { priority: _none, ...request } = node.record();
      for (const other of this.nodes) {
        if (other.isUp && other.table.get(other.id) !== undefined) other.hear(request);
      }
      if (node.table.get(node.id) === undefined) this.timers.after(KNOCK_MS, knock);
    };
    this.timers.after(1, knock);
    return node;
  }

  start(node: MemberNode): void {
    node.node.start();
    this.timers.runUntil("a start", () => node.isUp);
    node.attach();
  }

  named(name: string): MemberNode {
    return this.nodes.findLast((node) => node.name === name)!;
  }

  leader(): MemberNode {
    const leads = (node: MemberNode): boolean => {
      const { role, progress, configuration } = node.node.replica.core.status();
      const heard = configuration.voters.filter((id) => id === node.id || progress.get(id)?.active);
      return role === "leader" && heard.length * 2 > configuration.voters.length;
    };
    const up = (): MemberNode[] => this.nodes.filter(({ isUp }) => isUp);
    this.timers.runUntil("a leader", () => up().some(leads));
    return up().find(leads)!;
  }

  /** The cluster has formed and reached its feature level. */
  settle(): this {
    this.timers.runUntil("the feature level", () =>
      this.nodes.every(({ isUp, table }) => !isUp || table.level === 1),
    );
    return this;
  }

  ask(write: OperatorMemberWrite, at: MemberNode = this.leader()): Pending<MemberOutcome> {
    const pending: Pending<MemberOutcome> = { outcome: null, endedAtMs: 0 };
    at.node.replica.members.propose(write, 0, (outcome) => {
      pending.outcome = outcome;
      pending.endedAtMs = this.timers.nowMs;
    });
    return pending;
  }

  answer(write: OperatorMemberWrite, at?: MemberNode): MemberOutcome {
    const pending = this.ask(write, at);
    this.timers.runUntil("an answer", () => pending.outcome !== null);
    return pending.outcome!;
  }

  /** What becomes of a change, at last. */
  outcome(asked: Partial<AskedChange> & Pick<AskedChange, "kind" | "name">): MemberChange {
    const outcome = this.answer(change(asked));
    if (!outcome.ok) throw new Error(outcome.errorText);
    return this.end(outcome.changeId);
  }

  end(changeId: number): MemberChange {
    const ended = (): MemberChange | undefined => {
      const { change: last } = this.leader().table;
      const isOver = ["done", "refused", "cancelled"].includes(last?.phase ?? "");
      return last?.id === changeId && isOver ? last : undefined;
    };
    this.timers.runUntil(`the end of change ${changeId}`, () => ended() !== undefined, 200_000);
    return ended()!;
  }

  voters(): string[] {
    const { configuration } = this.leader().node.replica.core.status();
    return configuration.voters.map((id) => this.nodes.find((node) => node.id === id)!.name).sort();
  }

  learners(): string[] {
    const { configuration } = this.leader().node.replica.core.status();
    return configuration.learners.map((id) => this.nodes.find((node) => node.id === id)!.name);
  }

  /** All that are up and members have applied the same, and have one state. */
  agree(): void {
    const members = (): MemberNode[] =>
      this.nodes.filter((node) => node.isUp && node.table.get(node.id) !== undefined);
    this.timers.runUntil("agreement", () => {
      const indexes = new Set(members().map(({ node }) => node.appliedIndex));
      return indexes.size === 1;
    });
    const hashes = new Set(members().map(({ node }) => node.replica.machine.stateHash()));
    if (hashes.size !== 1) throw new Error(`${hashes.size} states at one index`);
  }
}

export function change(
  asked: Partial<AskedChange> & Pick<AskedChange, "kind" | "name">,
): AskedChange {
  return { write: "change", newcomer: null, address: null, asLearner: false, ...asked };
}
