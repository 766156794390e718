/** What the edge sees of the running replica: its own facts, and who the members are. */
import type { NodeId, Role } from "@ferrite/raft";
import type { KeyspaceApi } from "@ferrite/storage";
import type { MembershipControl } from "../members/membership-ports.ts";
import type { Genesis, Member } from "../peers/membership.ts";
import type { AccessState, AuditAnchors } from "../replica/access-state.ts";
import type { DamageFacts } from "../repair/group-disk.ts";
import type { StateChecksView } from "../repair/state-checks.ts";
import type { DiskFacts } from "../replica/disk-facts.ts";
import type { LeadershipControl } from "../replica/leadership-control.ts";
import type { MemberView, ReplicaView } from "../replica/replica-view.ts";
import type { Replica } from "../replica/replica.ts";

export interface LiveReplicaViewOptions {
  readonly replica: Replica;
  readonly genesis: Genesis;
  /** This node, with the addresses it really listens on. */
  readonly self: Member;
  damage(): DamageFacts;
}

export class LiveReplicaView implements ReplicaView {
  readonly nodeId: NodeId;
  readonly nodeName: string;
  readonly clusterId: string;
  readonly #replica: Replica;
  readonly #self: Member;
  readonly #damage: () => DamageFacts;

  constructor(options: LiveReplicaViewOptions) {
    this.#replica = options.replica;
    this.#self = options.self;
    this.#damage = () => options.damage();
    this.nodeId = options.self.id;
    this.nodeName = options.self.name;
    this.clusterId = options.genesis.clusterId;
  }

  get keyspace(): KeyspaceApi {
    return this.#replica.keyspace;
  }

  get access(): AccessState {
    return this.#replica.access;
  }

  get anchors(): AuditAnchors {
    return this.#replica.anchors;
  }

  get leadership(): LeadershipControl {
    return this.#replica.leadership;
  }

  get membership(): MembershipControl {
    return this.#replica.members;
  }

  get checks(): StateChecksView {
    return this.#replica.checks;
  }

  role(): Role {
    return this.#replica.role();
  }

  term(): number {
    return this.#replica.core.term();
  }

  leaderId(): NodeId | null {
    return this.#replica.core.leader();
  }

  commitIndex(): number {
    return this.#replica.core.commitIndex();
  }

  appliedIndex(): number {
    return this.#replica.machine.appliedIndex;
  }

  lastIndex(): number {
    return this.#replica.core.lastIndex();
  }

  firstIndex(): number {
    return this.#replica.core.status().firstIndex;
  }

  snapshotIndex(): number {
    return this.#replica.snapshots.latestIndex;
  }

  logBytes(): number {
    return this.#replica.core.logBytes();
  }

  snapshotInProgress(): boolean {
    return this.#replica.snapshots.isTaking;
  }

  snapshotBytesSent(): number {
    return this.#replica.snapshots.sentBytes;
  }

  logicalNowMs(): number {
    return this.#replica.logicalNowMs();
  }

  leaderSilenceMs(): number {
    return this.#replica.service.leaderSilenceMs();
  }

  isCatchingUp(): boolean {
    return !this.#replica.service.isCaughtUp;
  }

  disk(): DiskFacts {
    const { damages, floor } = this.#damage();
    return { ...this.#replica.disk, damages: damages.length, missingUpTo: floor };
  }

  writeRefusal(): string | null {
    return this.#replica.service.writeRefusal();
  }

  waitForCopies(
    request: { readonly index: number; readonly wanted: number; readonly timeoutMs: number },
    done: (count: number) => void,
  ): () => void {
    return this.#replica.copies.wait(request, done);
  }

  members(): readonly MemberView[] {
    return this.#replica.members.all().map((member): MemberView => {
      const isSelf = member.id === this.nodeId;
      // Its own addresses it knows before the cluster does.
      const { peerAddress, clientAddress } = isSelf ? this.#self : member;
      return {
        id: member.id,
        name: member.name,
        peerAddress,
        clientAddress,
        learner: member.role === "learner" || member.role === "joining",
        isSelf,
        isLeader: member.isLeader,
        connected: member.isConnected,
        matchIndex: member.matchIndex,
      };
    });
  }
}
