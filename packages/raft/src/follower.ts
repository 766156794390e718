/**
 * A node that follows: it answers the leader of its term, and campaigns when there is none. A learner is a follower
 * that never campaigns; see learner.ts.
 */
import { ForwardedReads } from "./forwarded-reads.ts";
import { acceptAppend, acceptHeartbeatCommit, reportDamage } from "./log-acceptor.ts";
import { followingRole, mayCampaign } from "./learner.ts";
import { invariant } from "./errors.ts";
import { patienceTicks } from "./priorities.ts";
import type { ProposeResult } from "./core-api.ts";
import type { RoleBehaviour, Transitions } from "./role.ts";
import { ReorderBuffer } from "./reorder-buffer.ts";
import type { SnapshotReceiver } from "./snapshot-receiver.ts";
import type { RaftState } from "./state.ts";
import type {
  AppendRequest,
  EntryKind,
  Heartbeat,
  LeaseOffer,
  Message,
  NodeId,
  Role,
  SnapshotChunk,
  TimeoutNow,
} from "./types.ts";

export class Follower implements RoleBehaviour {
  readonly #state: RaftState;
  readonly #transitions: Transitions;
  readonly #receiver: SnapshotReceiver;
  readonly #reads: ForwardedReads;
  readonly #early: ReorderBuffer;

  constructor(state: RaftState, transitions: Transitions, receiver: SnapshotReceiver) {
    this.#state = state;
    this.#transitions = transitions;
    this.#receiver = receiver;
    this.#reads = new ForwardedReads(state);
    this.#early = new ReorderBuffer(state);
  }

  get role(): Role {
    return followingRole(this.#state);
  }

  tick(): void {
    const { clock } = this.#state;
    clock.tick();
    this.#reads.tick();
    if (!this.#mayCampaign()) {
      return;
    }
    if ((clock.isDue(patienceTicks(this.#state)) && !clock.hasPromised) || this.#isAlone()) {
      this.#transitions.campaign("preVote");
    }
  }

  step(message: Message): void {
    switch (message.kind) {
      case "append":
        this.#append(message);
        return;
      case "heartbeat":
        this.#heartbeat(message);
        return;
      case "snapshotChunk":
        this.#snapshotChunk(message);
        return;
      case "timeoutNow":
        this.#timeoutNow(message);
        return;
      case "readIndexResponse":
        this.#reads.answered(message);
        return;
      case "readIndexRequest":
        // Addressed to a leader that this node is not (any more).
        this.#state.outbox.send({
          kind: "readIndexResponse",
          from: this.#state.id,
          to: message.from,
          term: this.#state.term,
          requestId: message.requestId,
          index: 0,
        });
        return;
      default:
        // Answers to what this node asked for in a role it no longer has.
        return;
    }
  }

  propose(_data: Uint8Array, _kind: EntryKind): ProposeResult {
    return { accepted: false, reason: "notLeader", leader: this.#state.leader };
  }

  readIndex(requestId: number): void {
    if (this.#state.leader === null) {
      this.#state.outbox.readFailed(requestId);
      return;
    }
    this.#reads.ask(requestId, this.#state.leader);
  }

  peerUnreachable(peer: NodeId): void {
    if (this.#state.leader !== peer) {
      return;
    }
    this.#state.leader = null;
    this.#reads.failAll();
    this.#state.clock.hurry();
    this.#transitions.announce();
  }

  durableAdvanced(): void {
    // Only a leader counts its own log.
  }

  hasWork(): boolean {
    return false;
  }

  flush(): void {
    // Every answer goes into the outbox as it is made.
  }

  leave(): void {
    this.#reads.failAll();
    this.#early.clear();
  }

  #append(request: AppendRequest): void {
    this.#hear(request.from);
    if (this.#receiver.isInstalling()) {
      return;
    }
    if (this.#early.takes(request)) {
      return;
    }
    const before = this.role;
    this.#accept(request);
    this.#announceIfNot(before);
  }

  /** With what came early and fits now. */
  #accept(request: AppendRequest): void {
    let next: AppendRequest | null = request;
    while (next !== null && acceptAppend(this.#state, next)) {
      this.#early.fits(next);
      next = this.#early.next();
    }
  }

  #heartbeat(heartbeat: Heartbeat): void {
    this.#hear(heartbeat.from);
    this.#early.heartbeat();
    if (!this.#receiver.isInstalling()) {
      const before = this.role;
      acceptHeartbeatCommit(this.#state, heartbeat);
      this.#announceIfNot(before);
      reportDamage(this.#state, heartbeat.from);
    }
    const promises = heartbeat.lease !== undefined && this.#promise(heartbeat.lease);
    this.#state.outbox.send({
      kind: "heartbeatResponse",
      from: this.#state.id,
      to: heartbeat.from,
      term: this.#state.term,
      readRound: heartbeat.readRound,
      ...(promises ? { leaseTick: heartbeat.lease?.tick } : {}),
    });
  }

  /** No longer than this node is quiet after a start: a restart must not end a promise early (lease.ts). */
  #promise(offer: LeaseOffer): boolean {
    const { leases, electionTimeoutTicks } = this.#state.options;
    if (leases !== true || offer.promiseTicks > electionTimeoutTicks) {
      return false;
    }
    this.#state.clock.promise(offer.promiseTicks);
    return true;
  }

  #snapshotChunk(chunk: SnapshotChunk): void {
    this.#hear(chunk.from);
    this.#early.clear();
    this.#receiver.receive(chunk);
  }

  #timeoutNow(message: TimeoutNow): void {
    if (this.#state.leader === message.from && this.#mayCampaign()) {
      this.#transitions.campaign("transfer");
    }
  }

  #hear(leader: NodeId): void {
    const state = this.#state;
    if (state.leader !== leader) {
      invariant(state.leader === null, "twoLeadersInTerm", "two nodes lead the same term");
      state.leader = leader;
      state.clock.followLeader();
      this.#transitions.announce();
    }
    state.clock.heardLeader();
  }

  /** Configurations take effect and are taken back with the log: a follower may have become a learner, or back. */
  #announceIfNot(before: Role): void {
    if (this.role !== before) {
      this.#transitions.announce();
    }
  }

  #mayCampaign(): boolean {
    // Without the entries it acknowledged it could be elected over the heads of those who have them.
    const isWhole = this.#state.floor === null;
    return isWhole && mayCampaign(this.#state) && !this.#receiver.isInstalling();
  }

  /** The only voter need not wait for anybody. */
  #isAlone(): boolean {
    const { configuration, id } = this.#state;
    const { voters, votersOutgoing } = configuration;
    return voters.length === 1 && voters[0] === id && votersOutgoing.length === 0;
  }
}
