/** The node that leads its term (paper, figure 2, "leaders"): takes proposals, replicates, commits, confirms reads. */
import { commitRule } from "./commit-rule.ts";
import {
  decodeConfiguration,
  encodeConfiguration,
  isJoint,
  leaveJoint,
  validateTransition,
} from "./configuration.ts";
import { invariant } from "./errors.ts";
import { LeadershipTransfer } from "./leadership-transfer.ts";
import { LeaderLease } from "./lease.ts";
import { PreferredLeader } from "./preferred-leader.ts";
import { isQuorum, quorumIndex } from "./quorum.ts";
import { ReadOnly } from "./read-only.ts";
import type { ReadRequest } from "./read-only.ts";
import { Replicator } from "./replicator.ts";
import { EntryKind } from "./types.ts";
import type { ProposeResult } from "./core-api.ts";
import type { Progress } from "./progress.ts";
import type { RoleBehaviour, Transitions } from "./role.ts";
import type { RaftState } from "./state.ts";
import type { Index, Message, NodeId } from "./types.ts";

const NO_DATA: Uint8Array = new Uint8Array(0);

export class Leader implements RoleBehaviour {
  readonly role = "leader";
  readonly replicator: Replicator;
  readonly transfer: LeadershipTransfer;
  readonly lease: LeaderLease;
  readonly #preferred: PreferredLeader;
  readonly #state: RaftState;
  readonly #transitions: Transitions;
  readonly #reads: ReadOnly = new ReadOnly();
  #heartbeatElapsedTicks = 0;
  #uncommittedBytes: number;

  constructor(state: RaftState, transitions: Transitions) {
    this.#state = state;
    this.#transitions = transitions;
    this.#uncommittedBytes = state.log.dataBytesOf(state.commitIndex + 1, state.log.lastIndex);
    this.replicator = new Replicator(state);
    this.transfer = new LeadershipTransfer(state, this.replicator);
    this.lease = new LeaderLease(state, this.replicator, this.transfer);
    this.#preferred = new PreferredLeader(state, this.replicator, this.transfer);
  }

  /**
   * What earlier terms left is committed by committing an own entry behind it (paper, sections 5.4.2 and 8). The
   * appends that carry it are the first heartbeat too.
   */
  begin(): void {
    this.#append(NO_DATA, EntryKind.NoOp);
  }

  tick(): void {
    this.replicator.tick();
    this.transfer.tick();
    this.lease.tick();
    if (!this.#hearsQuorum()) {
      // Others may have elected a new leader, whom clients of this node can not reach through it.
      this.#transitions.becomeFollower(this.#state.term, null);
      return;
    }
    this.#preferred.tick();
    this.#heartbeatElapsedTicks += 1;
    if (this.#heartbeatElapsedTicks >= this.#state.options.heartbeatIntervalTicks) {
      this.#broadcastHeartbeat();
    }
  }

  step(message: Message): void {
    if (message.kind === "readIndexRequest") {
      // Learners and members that this configuration does not know of may read too.
      this.#reads.ask({ from: message.from, requestId: message.requestId });
    }
    const progress = this.replicator.get(message.from);
    if (progress === undefined) {
      return;
    }
    this.replicator.heard(progress);
    switch (message.kind) {
      case "appendResponse":
        this.#afterProgress(progress, this.replicator.appendAnswered(progress, message));
        return;
      case "snapshotResponse":
        this.#afterProgress(progress, this.replicator.snapshotAnswered(progress, message));
        return;
      case "heartbeatResponse":
        this.replicator.heartbeatAnswered(progress);
        this.#readRoundAnswered(progress, message.readRound);
        this.lease.promised(progress.id, message.leaseTick ?? 0);
        this.transfer.proceed(progress.id);
        return;
      default:
        // Late answers of the election, and messages that only followers act on.
        return;
    }
  }

  propose(data: Uint8Array, kind: EntryKind): ProposeResult {
    const { id, log, options, term } = this.#state;
    if (this.transfer.target !== null) {
      return { accepted: false, reason: "transferring", leader: id };
    }
    if (kind === EntryKind.Configuration) {
      if (this.#configurationIsPending()) {
        return { accepted: false, reason: "configurationPending", leader: id };
      }
      validateTransition(this.#state.configuration, decodeConfiguration(data));
    } else if (
      data.byteLength > 0 &&
      this.#uncommittedBytes > 0 &&
      this.#uncommittedBytes + data.byteLength > options.uncommittedBytesMax
    ) {
      return { accepted: false, reason: "overloaded", leader: id };
    }
    this.#append(data, kind);
    return { accepted: true, index: log.lastIndex, term };
  }

  readIndex(requestId: number): void {
    this.#reads.ask({ from: this.#state.id, requestId });
  }

  peerUnreachable(peer: NodeId): void {
    this.replicator.unreachable(peer);
  }

  durableAdvanced(): void {
    this.#advanceCommit();
  }

  hasWork(): boolean {
    return this.replicator.hasWork() || this.#canBeginRound();
  }

  flush(): void {
    if (this.#canBeginRound()) {
      this.#beginRound();
    }
    this.replicator.flush();
  }

  leave(): void {
    for (const request of this.#reads.drain()) {
      this.#answerRead(request, 0);
    }
  }

  /** Somebody else should lead at once: spares the cluster the wait for an election timeout. */
  handOver(): void {
    const successor = this.transfer.mostCaughtUp();
    if (successor !== null) {
      this.transfer.sendTimeoutNow(successor);
    }
  }

  #append(data: Uint8Array, kind: EntryKind): void {
    const { log, term } = this.#state;
    const isConfiguration = this.#state.append({ index: log.lastIndex + 1, term, kind, data });
    this.#uncommittedBytes += data.byteLength;
    this.replicator.logGrew();
    if (isConfiguration) {
      this.replicator.syncMembers();
      // Other voters count now: what was short of an answer may not be any more, and those who left answer no more.
      this.#confirmReads();
    }
  }

  #afterProgress(progress: Progress, advanced: boolean): void {
    this.transfer.proceed(progress.id);
    if (advanced) {
      this.#advanceCommit();
    }
  }

  /** Entries of this term are committed by counting; all before them with them (paper, section 5.4.2). */
  #advanceCommit(): void {
    const { log, term, configuration } = this.#state;
    const agreed = quorumIndex(configuration, (voter) => this.replicator.matchOf(voter));
    const before = this.#state.commitIndex;
    if (agreed <= before || !commitRule.allows(log, agreed, term)) {
      return;
    }
    invariant(agreed <= log.lastIndex, "commitBeyondLog", "a quorum has more than the leader");
    this.#state.commitTo(agreed);
    this.#uncommittedBytes -= log.dataBytesOf(before + 1, agreed);
    this.#afterConfigurationCommit();
  }

  #afterConfigurationCommit(): void {
    const { configuration, configurations, commitIndex } = this.#state;
    if (configurations.currentIndex() > commitIndex) {
      return;
    }
    if (isJoint(configuration)) {
      // Whoever leads when a joint configuration is committed ends it, also if another leader began it.
      this.#append(encodeConfiguration(leaveJoint(configuration)), EntryKind.Configuration);
      this.#advanceCommit();
      return;
    }
    if (!this.#state.isVoter()) {
      // Thesis, section 4.2.2: a leader that is not in the new configuration steps down once that is committed.
      this.replicator.pushCommit(undefined);
      this.replicator.flush();
      this.handOver();
      this.#transitions.becomeFollower(this.#state.term, null);
    }
  }

  /** One change at a time, and none before the own no-op is committed (the single-server bug of 2015). */
  #configurationIsPending(): boolean {
    const { configuration, configurations, commitIndex } = this.#state;
    return (
      configurations.currentIndex() > commitIndex ||
      isJoint(configuration) ||
      !this.#hasCommittedInTerm()
    );
  }

  #hasCommittedInTerm(): boolean {
    return this.#state.log.matches(this.#state.commitIndex, this.#state.term);
  }

  #hearsQuorum(): boolean {
    const { configuration, id } = this.#state;
    return isQuorum(configuration, (voter) => {
      const progress = this.replicator.get(voter);
      return voter === id || (progress !== undefined && this.replicator.isActive(progress));
    });
  }

  #broadcastHeartbeat(): void {
    this.#heartbeatElapsedTicks = 0;
    const { outbox, id, term, commitIndex } = this.#state;
    const readRound = this.#reads.pendingRound();
    const lease = this.lease.offer();
    for (const progress of this.replicator.peers()) {
      outbox.send({
        kind: "heartbeat",
        from: id,
        to: progress.id,
        term,
        commit: Math.min(commitIndex, progress.matchIndex),
        readRound,
        ...(lease === undefined ? {} : { lease }),
      });
    }
  }

  /** Before the own no-op is committed the commit index may be behind what an earlier leader has acknowledged. */
  #canBeginRound(): boolean {
    return this.#reads.canBegin() && this.#hasCommittedInTerm();
  }

  #beginRound(): void {
    this.#reads.begin(this.#state.commitIndex);
    this.#confirmReads();
    if (this.#reads.pendingRound() > 0) {
      this.#broadcastHeartbeat();
    }
  }

  #readRoundAnswered(progress: Progress, round: number): void {
    // A round that was not begun can not have been answered; believing it would confirm reads in advance.
    if (round > progress.readRoundConfirmed && round <= this.#reads.lastRound) {
      progress.readRoundConfirmed = round;
      this.#confirmReads();
    }
  }

  #confirmReads(): void {
    const { configuration, id } = this.#state;
    const confirmed = quorumIndex(configuration, (voter) =>
      voter === id ? Infinity : (this.replicator.get(voter)?.readRoundConfirmed ?? 0),
    );
    this.#reads.confirm(confirmed, (request, index) => this.#answerRead(request, index));
  }

  /** `index` 0: it could not be confirmed. */
  #answerRead(request: ReadRequest, index: Index): void {
    const { outbox, id, term } = this.#state;
    if (request.from !== id) {
      const { from: to, requestId } = request;
      outbox.send({ kind: "readIndexResponse", from: id, to, term, requestId, index });
    } else if (index === 0) {
      outbox.readFailed(request.requestId);
    } else {
      outbox.readConfirmed(request.requestId, index);
    }
  }
}
