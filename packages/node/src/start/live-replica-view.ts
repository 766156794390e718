/** What the edge sees of the running replica: its own facts, and who the members are. */
import type { NodeId, Role } from "@ferrite/raft";
import type { KeyspaceApi } from "@ferrite/storage";
import type { Genesis, Member } from "../peers/membership.ts";
import type { AccessState, AuditAnchors } from "../replica/access-state.ts";
import type { MemberView, ReplicaView } from "../replica/replica-view.ts";
import type { Replica } from "../replica/replica.ts";

export interface LiveReplicaViewOptions {
  readonly replica: Replica;
  readonly genesis: Genesis;
  /** This node, with the addresses it really listens on. */
  readonly self: Member;
  connected(peer: NodeId): boolean;
}

export class LiveReplicaView implements ReplicaView {
  readonly nodeId: NodeId;
  readonly nodeName: string;
  readonly clusterId: string;
  readonly #replica: Replica;
  readonly #genesis: Genesis;
  readonly #self: Member;
  readonly #connected: (peer: NodeId) => boolean;

  constructor(options: LiveReplicaViewOptions) {
    this.#replica = options.replica;
    this.#genesis = options.genesis;
    this.#self = options.self;
    this.#connected = (peer) => options.connected(peer);
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

  logicalNowMs(): number {
    return this.#replica.logicalNowMs();
  }

  leaderSilenceMs(): number {
    return this.#replica.service.leaderSilenceMs();
  }

  isCatchingUp(): boolean {
    return !this.#replica.service.isCaughtUp;
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
    const { progress, leader, configuration, durableIndex } = this.#replica.core.status();
    const leads = this.#replica.role() === "leader";
    return this.#genesis.members.map((known): MemberView => {
      const isSelf = known.id === this.nodeId;
      const member = isSelf ? this.#self : known;
      const matchIndex = isSelf ? durableIndex : (progress.get(member.id)?.matchIndex ?? 0);
      return {
        id: member.id,
        name: member.name,
        peerAddress: member.peerAddress,
        clientAddress: member.clientAddress,
        learner: configuration.learners.includes(member.id),
        isSelf,
        isLeader: member.id === leader,
        connected: isSelf || this.#connected(member.id),
        matchIndex: leads ? matchIndex : null,
      };
    });
  }
}
