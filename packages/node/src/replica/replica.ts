/**
 * Drives one Raft group on one node: carries out what the core wants (Ready) over disk, network and state machine, and
 * is the door through which the RESP edge writes and reads.
 *
 *   clients ─▶ proposals ─▶ core ─▶ log worker ─┐
 *      ▲                     │  └─▶ peers       │ durable
 *      └────── apply ◀── committed ◀────────────┘
 *
 * Everything happens in rounds: whatever arrives (bytes, messages, durable writes, ticks) is taken in, and one round
 * soon after does the work for all of it together. That is where batches, group commit and single socket writes come from.
 */
import {
  RaftCore,
  type HardState,
  type Message,
  type NodeId,
  type Ready,
  type Role,
  type RoleChange,
} from "@ferrite/raft";
import type { KeyspaceApi } from "@ferrite/storage";
import { isAloneIn } from "../members/configuration-roles.ts";
import { ReplicatedMembers } from "../members/replicated-members.ts";
import type { LookupCounters, ReadCommand } from "../commands/command.ts";
import { newStateChecks } from "../repair/replica-checks.ts";
import type { StateChecks } from "../repair/state-checks.ts";
import type { Argv } from "../resp/argv.ts";
import type { Reply } from "../resp/reply.ts";
import type { Consistency } from "../commands/consistency-levels.ts";
import { AppliedSide } from "./applied-side.ts";
import { ReplicatedAnchors } from "./audit-anchors.ts";
import { uuidBytes } from "./batch.ts";
import { CopyCounts } from "./copy-counts.ts";
import { DiskOffices } from "./disk-offices.ts";
import { DiskWatch, type DiskAnswers } from "./disk-watch.ts";
import { EntryWriter } from "./entry-writer.ts";
import { ReplicaError } from "./errors.ts";
import { Handovers } from "./handovers.ts";
import { isInternalWrite } from "./internal-writes.ts";
import { LeaseReads } from "./lease-reads.ts";
import { LogicalClock } from "./logical-clock.ts";
import {
  diskWatchOptions,
  raftOptions,
  REQUEST_ID_START_MAX,
  type ReplicaLimits,
  type ReplicaOptions,
  type ReplicaPorts,
} from "./options.ts";
import { Outgoing } from "./outgoing.ts";
import { PeerMail } from "./peer-mail.ts";
import { Proposals } from "./proposals.ts";
import { LinearizableReads } from "./reads.ts";
import { ReadRunner } from "./read-runner.ts";
import { ReadyWrites } from "./ready-writes.ts";
import { ServiceState } from "./service-state.ts";
import { Rounds } from "./rounds.ts";
import { SnapshotKeeper } from "./snapshot-keeper.ts";
import type { StateMachine } from "./state-machine.ts";
import type { PeerPayload, TransportEvents } from "./transport.ts";
import { UsersAccess } from "./users-access.ts";
import type { WriteClient, WritePath } from "./write-path.ts";

export class Replica implements WritePath, TransportEvents {
  readonly nodeId: NodeId;
  readonly access: UsersAccess;
  readonly anchors: ReplicatedAnchors;
  readonly members: ReplicatedMembers;
  readonly checks: StateChecks;
  readonly leadership: Handovers;
  readonly core: RaftCore;
  readonly service: ServiceState;
  readonly snapshots: SnapshotKeeper;
  readonly copies: CopyCounts;
  readonly #ports: ReplicaPorts;
  readonly #limits: ReplicaLimits;
  readonly #clock: LogicalClock;
  readonly #proposals: Proposals;
  readonly #entries: EntryWriter;
  readonly #reads: LinearizableReads;
  readonly #leases: LeaseReads;
  readonly #readRunner: ReadRunner;
  readonly #mail: PeerMail;
  readonly #outgoing: Outgoing;
  readonly #applied: AppliedSide;
  readonly #writes: ReadyWrites;
  readonly #rounds: Rounds;
  readonly #disk: DiskWatch;
  readonly #offices: DiskOffices;

  constructor(options: ReplicaOptions, ports: ReplicaPorts) {
    const { limits, recovered } = options;
    this.#rounds = new Rounds({
      defer: (run) => ports.defer(run),
      isStopped: () => this.service.isStopped,
      work: () => this.#work(),
      failed: (error) => this.#fail(error),
    });
    this.nodeId = options.nodeId;
    this.#ports = ports;
    this.#limits = limits;
    this.#clock = new LogicalClock(ports.clock);
    this.#clock.applied(recovered.machine.timeMs);
    const monotonicMs = (): number => ports.clock.monotonicMs();
    const leads = (): boolean => this.core.role() === "leader";
    this.service = new ServiceState(limits, { monotonicMs, leads });
    const hardState: HardState = recovered.hardState ?? { term: 0, vote: null, commit: 0 };
    this.core = new RaftCore(
      raftOptions(options, { hardState, seed: Math.floor(ports.random() * 0xffffffff) }),
    );
    const isAlone = (): boolean => isAloneIn(this.#applied.machine.configuration, this.nodeId);
    this.#disk = new DiskWatch(ports.log, diskWatchOptions(limits, monotonicMs));
    const { electionTimeoutMs } = limits;
    this.#offices = new DiskOffices(this.#disk, { core: this.core, electionTimeoutMs, isAlone });
    this.#proposals = new Proposals({
      nodeBytes: uuidBytes(options.nodeId),
      incarnation: options.incarnation,
      limits,
    });
    this.#applied = new AppliedSide(recovered.machine, {
      core: this.core,
      clock: this.#clock,
      proposals: this.#proposals,
      service: this.service,
      log: this.#disk,
      events: ports.events,
      ownKey: () => this.#entries.ownKey,
      usersChanged: (change, index) => this.access.changed(change, index),
      stateWrite: (words, origin, index) => this.checks.applied(words, origin, index),
      membersChanged: () => this.members.changed(),
      keyspaceReplaced: (keyspace) => {
        this.#readRunner.keyspace = keyspace;
      },
      plan: () => this.#plan(),
    });
    this.#outgoing = new Outgoing({
      nodeId: options.nodeId,
      core: this.core,
      transport: ports.transport,
      snapshots: () => this.snapshots,
      plan: () => this.#plan(),
    });
    this.#entries = new EntryWriter({
      nodeId: options.nodeId,
      core: this.core,
      clock: this.#clock,
      machine: () => this.#applied.machine,
      isMember: (id) => this.#applied.machine.members.get(id) !== undefined,
      hasSpace: () => !this.service.isDiskFull,
      random: () => ports.random(),
      send: (to, payload) => ports.transport.send(to, payload),
    });
    const firstRequestId = 1 + Math.floor(ports.random() * REQUEST_ID_START_MAX);
    const { timeoutMs, resendAfterMs: askAgainAfterMs } = limits;
    this.#reads = new LinearizableReads({ timeoutMs, askAgainAfterMs, firstRequestId });
    const appliedIndex = (): number => this.#applied.machine.appliedIndex;
    this.#leases = new LeaseReads({ core: this.core, ...ports, appliedIndex }, limits);
    this.#readRunner = new ReadRunner(this.#applied.machine.keyspace, {
      nowMs: () => this.#clock.nowMs(),
      random: () => ports.random(),
    });
    this.#writes = new ReadyWrites(this.#disk, hardState, {
      written: (entries) => {
        for (const entry of entries) this.snapshots.logGrew(entry.data.length);
      },
      durable: (messages, last) => {
        if (this.service.isStopped) return;
        this.#outgoing.release(messages);
        if (last !== undefined) this.core.persisted({ index: last.index, term: last.term });
        this.#plan();
      },
    });
    const send = (to: NodeId, payload: PeerPayload): void => {
      this.#outgoing.send(to, payload);
      this.#plan();
    };
    this.leadership = new Handovers(
      { nodeId: this.nodeId, core: this.core, monotonicMs, send, plan: () => this.#plan() },
      firstRequestId,
    );
    this.copies = new CopyCounts({ core: this.core, monotonicMs, send }, firstRequestId);
    const submit = (bytes: Buffer, userId: number, client: WriteClient): string | null =>
      this.#submit(bytes, { start: 0, end: bytes.length }, client, userId);
    this.access = new UsersAccess(
      {
        nodeId: options.nodeId,
        core: this.core,
        monotonicMs,
        users: () => this.#applied.machine.users,
        appliedIndex,
        isCaughtUp: () => this.service.isCaughtUp,
        isAlone,
        defer: (run) => ports.defer(run),
        confirm: (done) => this.confirmRead(done),
        submit,
        send,
      },
      { maxStalenessMs: limits.aclMaxStalenessMs, firstRequestId },
    );
    this.#mail = new PeerMail({
      entries: this.#entries,
      proposals: this.#proposals,
      copies: this.copies,
      access: this.access,
      leadership: this.leadership,
      snapshots: () => this.snapshots,
      monotonicMs,
    });
    this.anchors = new ReplicatedAnchors({ anchors: () => this.#applied.machine.anchors, submit });
    this.members = new ReplicatedMembers({
      nodeId: options.nodeId,
      core: this.core,
      machine: () => this.#applied.machine,
      electionTimeoutMs,
      monotonicMs,
      timeMs: () => this.#clock.nowMs(),
      connected: (peer) => ports.transport.connected(peer),
      featureLevelOf: (peer) => ports.featureLevelOf(peer),
      append: (kind, record) => this.#entries.lead(kind, record),
      submit,
    });
    this.snapshots = new SnapshotKeeper({
      replica: options,
      core: this.core,
      ports,
      firstRequestId,
      machine: () => this.#applied.machine,
      onRestored: (meta, machine) => this.#applied.adopt(meta, machine),
      onChunk: (chunk) => this.core.step(chunk),
      beforeTaking: () => this.checks.giveUp(),
      schedule: () => this.#plan(),
    });
    this.checks = newStateChecks(
      this,
      { ports, submit, fail: (error) => this.#fail(error) },
      limits,
    );
    this.#catchUp();
    this.#plan();
  }

  // ---- Write path -------------------------------------------------------------------------------------------

  submit(
    buffer: Buffer,
    start: number,
    end: number,
    client: WriteClient,
    userId: number,
  ): string | null {
    // What a client says can never be what only a node may write.
    if (isInternalWrite(buffer, start, end)) return "ERR Protocol error: this is not a command";
    return this.#submit(buffer, { start, end }, client, userId);
  }

  #submit(
    buffer: Buffer,
    range: { readonly start: number; readonly end: number },
    client: WriteClient,
    userId: number,
  ): string | null {
    const refusal = this.service.writeRefusal();
    if (refusal !== null) return refusal;
    const error = this.#proposals.submit(buffer, range.start, range.end, {
      client,
      nowMs: this.#ports.clock.monotonicMs(),
      userId,
      aclRevision: this.#applied.machine.users.revision,
    });
    if (error === null) this.#plan();
    return error;
  }

  // ---- Read path --------------------------------------------------------------------------------------------

  confirmRead(done: (errorText: string | null) => void): void {
    if (this.service.isStopped) return done("CLUSTERDOWN this node is stopping");
    this.#reads.add(done, this.#ports.clock.monotonicMs());
    this.#plan();
  }

  mayReadNow(level: Consistency, boundMs: number): boolean {
    return this.#leases.mayReadNow(level, this.#reads.freshAsOfMs + boundMs);
  }

  runRead(command: ReadCommand, argv: Argv, reply: Reply): void {
    this.#readRunner.run(command, argv, reply);
  }

  /** Where reads count what they find and do not find. */
  countLookups(counters: LookupCounters): void {
    this.#readRunner.lookups = counters;
  }

  readRefusal(): string | null {
    return this.service.readRefusal();
  }

  // ---- What others may know ---------------------------------------------------------------------------------

  get keyspace(): KeyspaceApi {
    return this.#applied.machine.keyspace;
  }

  get machine(): StateMachine {
    return this.#applied.machine;
  }

  role(): Role {
    return this.core.role();
  }

  /** The node's view of the leader's clock. */
  logicalNowMs(): number {
    return this.#clock.nowMs();
  }

  /** Whether the disk answers. */
  get disk(): DiskAnswers {
    return this.#disk.answers;
  }

  // ---- Time and life ----------------------------------------------------------------------------------------

  /** One tick has passed (limits.tickMs). */
  tick(): void {
    if (this.service.isStopped) return;
    const nowMs = this.#ports.clock.monotonicMs();
    this.service.tick(nowMs);
    this.#offices.watch(nowMs, this.#ports.events);
    if (this.#offices.mayTick()) {
      this.#leases.ticks();
      this.core.tick();
    }
    this.core.pushOverdueCommit();
    this.#proposals.tick(nowMs);
    this.#reads.tick(nowMs);
    this.access.tick();
    this.members.tick();
    this.checks.tick();
    this.snapshots.tick();
    this.copies.check();
    this.leadership.tick();
    if (this.service.isDiskFull) this.#offices.leaveFull(nowMs);
    else if (this.core.role() === "leader") this.#lead(nowMs);
    this.#plan();
  }

  /** What a leader writes by itself. */
  #lead(nowMs: number): void {
    this.#entries.tick(nowMs);
    this.members.lead();
  }

  /** Leadership to another node, if this one has it. True when it was started. */
  handOver(): boolean {
    const started = this.core.transferLeadership();
    this.#plan();
    return started;
  }

  /** Nothing is taken any more; what waits is answered. The log is closed by its owner. */
  stop(): void {
    if (this.service.isStopped) return;
    this.service.isStopped = true;
    this.snapshots.cancel();
    this.#proposals.failAll();
    this.access.stop();
    this.members.stop();
    this.leadership.stop();
    this.#reads.failAll("CLUSTERDOWN this node is stopping");
    this.#ports.events.roundDone();
  }

  /** From the log: there is no room for more (true), or there is again. */
  diskFull(full: boolean): void {
    this.service.isDiskFull = full;
    this.#disk.diskFull(full);
    this.#ports.events.diskSpace(full);
    if (full) this.#offices.leaveFull(this.#ports.clock.monotonicMs());
    this.#plan();
  }

  // ---- From the peers ---------------------------------------------------------------------------------------

  onPayload(from: NodeId, payload: PeerPayload, senderTimeMs: number): void {
    if (this.service.isStopped) return;
    if (payload.kind === "raft") this.#receiveMessage(from, payload.message, senderTimeMs);
    else this.#mail.receive(from, payload);
    this.#plan();
  }

  #receiveMessage(from: NodeId, message: Message, senderTimeMs: number): void {
    if (this.#offices.isRefused(message)) return;
    this.core.step(message);
    if (from !== this.core.leader() || message.term !== this.core.term()) return;
    this.#clock.heard(senderTimeMs);
    this.service.leaderHeard();
  }

  onConnected(peer: NodeId): void {
    // What was sent over the old link may be lost; apply drops what is not.
    if (peer === this.core.leader()) this.#proposals.sendAllAgain();
    this.#plan();
  }

  onDisconnected(peer: NodeId): void {
    this.core.peerUnreachable(peer);
    this.snapshots.disconnected(peer);
    this.#plan();
  }

  // ---- Rounds -----------------------------------------------------------------------------------------------

  readonly #plan = (): void => this.#rounds.plan();

  #work(): void {
    const nowMs = this.#ports.clock.monotonicMs();
    this.#proposals.pump(this.#entries.sendOwn, nowMs);
    if (this.#reads.isGathering && this.core.leader() !== null) {
      this.#reads.pump((requestId) => this.core.readIndex(requestId), nowMs);
    }
    while (this.core.hasReady()) this.#carryOut(this.core.ready());
    this.#applied.apply(this.#limits.applyRecordsPerRound);
    this.snapshots.trimCache(this.#applied.machine.appliedIndex);
    this.#reads.serve(this.#applied.machine.appliedIndex);
    this.copies.check();
    this.access.work();
    const looksAgain = this.#entries.tellCommit() || this.#proposals.hasGathered(nowMs);
    while (this.core.hasReady()) this.#carryOut(this.core.ready());
    this.#ports.transport.flush();
    this.#ports.events.roundDone();
    this.snapshots.work();
    this.checks.work();
    const runnable = this.#applied.hasWork || this.snapshots.isRunnable || this.checks.isRunnable;
    if (runnable || looksAgain) this.#plan();
  }

  #carryOut(ready: Ready): void {
    if (ready.roleChange !== null) this.#changeRole(ready.roleChange);
    for (const message of ready.messages) this.#outgoing.message(message);
    this.#writes.persist(ready);
    this.#applied.push(ready.committed);
    for (const read of ready.reads) this.#reads.confirmed(read);
    for (const requestId of ready.readsFailed) this.#reads.failed(requestId);
    for (const chunk of ready.snapshotChunks) this.snapshots.receive(chunk);
    for (const wanted of ready.snapshotsWanted) this.snapshots.provide(wanted);
  }

  #changeRole(change: RoleChange): void {
    this.#clock.lead(change.role === "leader");
    this.#entries.leaderChanged();
    this.copies.leaderChanged();
    this.snapshots.leaderChanged();
    this.leadership.leaderChanged();
    this.access.leaderChanged();
    if (change.leader !== null) {
      this.service.leaderHeard();
      this.#proposals.sendAllAgain();
    }
    this.#ports.events.roleChanged(change);
    this.#plan();
  }

  /**
   * After a start the log is applied anew, as far as a leader says that it is committed. Only the index of a
   * linearizable read tells when that reaches what this node had applied before, whose end need not be in its own log:
   * until then reads would go back in time (R21).
   */
  #catchUp(): void {
    const done = (errorText: string | null): void => {
      if (errorText === null) this.service.isCaughtUp = true;
      else if (!this.service.isStopped) this.#catchUp();
    };
    this.#reads.add(done, this.#ports.clock.monotonicMs());
  }

  #fail(cause: Error): void {
    this.stop();
    const isOwn = cause instanceof ReplicaError;
    this.#ports.events.failed(isOwn ? cause : new ReplicaError("DEFECT", cause.message, { cause }));
  }
}
