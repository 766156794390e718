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
  type SnapshotMeta,
} from "@ferrite/raft";
import type { KeyspaceApi } from "@ferrite/storage";
import type { LookupCounters, ReadCommand } from "../commands/command.ts";
import type { Argv } from "../resp/argv.ts";
import type { Reply } from "../resp/reply.ts";
import { ApplyQueue } from "./apply-queue.ts";
import { asBuffer, stamp, uuidBytes, type BatchReader } from "./batch.ts";
import { CopyCounts } from "./copy-counts.ts";
import { ReplicaError } from "./errors.ts";
import { ExpiryCycle } from "./expiry-cycle.ts";
import { ForwardedWrites } from "./forwarding.ts";
import { LogicalClock } from "./logical-clock.ts";
import {
  raftOptions,
  type ReplicaLimits,
  type ReplicaOptions,
  type ReplicaPorts,
} from "./options.ts";
import { Proposals, type OwnBatch } from "./proposals.ts";
import { LinearizableReads } from "./reads.ts";
import { ReadRunner } from "./read-runner.ts";
import { ReadyWrites } from "./ready-writes.ts";
import { ServiceState } from "./service-state.ts";
import type { SessionVerdict } from "./sessions.ts";
import { SnapshotKeeper } from "./snapshot-keeper.ts";
import type { ApplyListener, StateMachine } from "./state-machine.ts";
import type { PeerPayload, TransportEvents } from "./transport.ts";
import type { WriteClient, WritePath } from "./write-path.ts";

export class Replica implements WritePath, TransportEvents {
  readonly nodeId: NodeId;
  readonly #ports: ReplicaPorts;
  readonly #limits: ReplicaLimits;
  readonly #core: RaftCore;
  readonly #clock: LogicalClock;
  readonly #proposals: Proposals;
  readonly #forwarded: ForwardedWrites;
  readonly #reads: LinearizableReads;
  readonly #readRunner: ReadRunner;
  readonly #copies: CopyCounts;
  readonly #snapshots: SnapshotKeeper;
  readonly #expiry: ExpiryCycle;
  readonly #listener: ApplyListener;
  readonly #nodeKeys: Map<NodeId, string>;
  #machine: StateMachine;

  readonly #applyQueue: ApplyQueue = new ApplyQueue();
  readonly #writes: ReadyWrites;
  #roundPlanned = false;
  readonly #service: ServiceState;
  /** A leader without room for the log tries to hand over, not before this. */
  #handOverAtMs = 0;

  constructor(options: ReplicaOptions, ports: ReplicaPorts) {
    const { limits, recovered } = options;
    this.nodeId = options.nodeId;
    this.#ports = ports;
    this.#limits = limits;
    this.#machine = recovered.machine;
    this.#clock = new LogicalClock(ports.clock);
    this.#clock.applied(recovered.machine.timeMs);
    const monotonicMs = (): number => ports.clock.monotonicMs();
    const leads = (): boolean => this.#core.role() === "leader";
    this.#service = new ServiceState(limits, { monotonicMs, leads });
    this.#nodeKeys = new Map(
      options.genesis.members.map((member) => [member.id, uuidBytes(member.id).toString("latin1")]),
    );
    const hardState: HardState = recovered.hardState ?? { term: 0, vote: null, commit: 0 };
    this.#core = new RaftCore(
      raftOptions(options, { hardState, seed: Math.floor(ports.random() * 0xffffffff) }),
    );
    this.#proposals = new Proposals({
      nodeBytes: uuidBytes(options.nodeId),
      incarnation: options.incarnation,
      limits,
    });
    this.#forwarded = new ForwardedWrites({
      isLeader: () => this.#core.role() === "leader",
      hasSpace: () => !this.#service.isDiskFull,
      appliedSequence: (originKey, incarnation) =>
        this.#machine.sessions.sequenceOf(originKey, incarnation),
      propose: (batch) => this.#core.propose(batch),
      timeMs: () => this.#clock.nowMs(),
      seed: () => Math.floor(ports.random() * 0x100000000),
    });
    const { timeoutMs, resendAfterMs: askAgainAfterMs } = limits;
    const firstRequestId = 1 + Math.floor(ports.random() * REQUEST_ID_START_MAX);
    this.#reads = new LinearizableReads({ timeoutMs, askAgainAfterMs, firstRequestId });
    this.#readRunner = new ReadRunner(this.#machine.keyspace, {
      nowMs: () => this.#clock.nowMs(),
      random: () => ports.random(),
    });
    this.#expiry = new ExpiryCycle();
    this.#writes = new ReadyWrites(ports.log, hardState, {
      written: (entries) => {
        for (const entry of entries) this.#snapshots.logGrew(entry.data.length);
      },
      durable: (messages, last) => {
        if (this.#service.isStopped) return;
        this.#release(messages);
        if (last !== undefined) this.#core.persisted({ index: last.index, term: last.term });
        this.#plan();
      },
    });
    const send = (to: NodeId, payload: PeerPayload): void => {
      this.#send(to, payload);
      this.#plan();
    };
    this.#copies = new CopyCounts({ core: this.#core, monotonicMs, send }, firstRequestId);
    this.#snapshots = new SnapshotKeeper({
      core: this.#core,
      ports,
      limits,
      newMachine: () => options.newMachine(),
      latest: recovered.snapshot,
      onRestored: (meta, machine) => this.#adopt(meta, machine),
      schedule: () => this.#plan(),
    });
    this.#listener = {
      batch: (reader, verdict) => this.#batchComesUp(reader, verdict),
      commandThrew: (name, error) => ports.events.commandThrew(name, error),
      expired: (count) => ports.events.keysExpired(count),
    };
    this.#catchUp();
    this.#plan();
  }

  // ---- Write path -------------------------------------------------------------------------------------------

  submit(buffer: Buffer, start: number, end: number, client: WriteClient): string | null {
    const refusal = this.#service.writeRefusal();
    if (refusal !== null) return refusal;
    const nowMs = this.#ports.clock.monotonicMs();
    const error = this.#proposals.submit(buffer, start, end, { client, nowMs });
    if (error === null) this.#plan();
    return error;
  }

  // ---- Read path --------------------------------------------------------------------------------------------

  confirmRead(done: (errorText: string | null) => void): void {
    if (this.#service.isStopped) return done("CLUSTERDOWN this node is stopping");
    this.#reads.add(done, this.#ports.clock.monotonicMs());
    this.#plan();
  }

  runRead(command: ReadCommand, argv: Argv, reply: Reply): void {
    this.#readRunner.run(command, argv, reply);
  }

  /** Where reads count what they find and do not find. */
  countLookups(counters: LookupCounters): void {
    this.#readRunner.lookups = counters;
  }

  readRefusal(): string | null {
    return this.#service.readRefusal();
  }

  // ---- What others may know ---------------------------------------------------------------------------------

  get keyspace(): KeyspaceApi {
    return this.#machine.keyspace;
  }

  get machine(): StateMachine {
    return this.#machine;
  }

  get core(): RaftCore {
    return this.#core;
  }

  role(): Role {
    return this.#core.role();
  }

  get snapshots(): SnapshotKeeper {
    return this.#snapshots;
  }

  get service(): ServiceState {
    return this.#service;
  }

  /** The node's view of the leader's clock. */
  logicalNowMs(): number {
    return this.#clock.nowMs();
  }

  get copies(): CopyCounts {
    return this.#copies;
  }

  // ---- Time and life ----------------------------------------------------------------------------------------

  /** One tick has passed (limits.tickMs). */
  tick(): void {
    if (this.#service.isStopped) return;
    const nowMs = this.#ports.clock.monotonicMs();
    this.#core.tick();
    this.#core.pushCommit();
    this.#proposals.tick(nowMs);
    this.#reads.tick(nowMs);
    this.#copies.check();
    if (this.#core.role() === "leader" && this.#service.isDiskFull) this.#leaveOffice(nowMs);
    if (this.#core.role() === "leader" && !this.#service.isDiskFull) {
      const batch = this.#expiry.tick(this.#machine.keyspace, this.#clock.nowMs(), nowMs);
      if (batch !== null) this.#proposeStamped(batch);
    }
    this.#plan();
  }

  /** Leadership to another node, if this one has it. True when it was started. */
  handOver(): boolean {
    const started = this.#core.transferLeadership();
    this.#plan();
    return started;
  }

  /** Nothing is taken any more; what waits is answered. The log is closed by its owner. */
  stop(): void {
    if (this.#service.isStopped) return;
    this.#service.isStopped = true;
    this.#snapshots.cancel();
    this.#proposals.failAll();
    this.#reads.failAll("CLUSTERDOWN this node is stopping");
    this.#ports.events.roundDone();
  }

  /**
   * A leader whose disk is full can append nothing, and so stops the writes of all nodes. One of the others may have room.
   * When none has, leadership goes around slowly until somebody makes room.
   */
  #leaveOffice(nowMs: number): void {
    if (nowMs < this.#handOverAtMs) return;
    this.#handOverAtMs = nowMs + FULL_LEADER_RETRY_MS;
    this.#core.transferLeadership();
  }

  /** From the log: there is no room for more (true), or there is again. */
  diskFull(full: boolean): void {
    this.#service.isDiskFull = full;
    this.#ports.events.diskSpace(full);
    if (full && this.#core.role() === "leader") this.#leaveOffice(this.#ports.clock.monotonicMs());
    this.#plan();
  }

  // ---- From the peers ---------------------------------------------------------------------------------------

  onPayload(from: NodeId, payload: PeerPayload, senderTimeMs: number): void {
    if (this.#service.isStopped) return;
    switch (payload.kind) {
      case "raft":
        this.#core.step(payload.message);
        if (from === this.#core.leader() && payload.message.term === this.#core.term()) {
          this.#clock.heard(senderTimeMs);
          this.#service.leaderHeard();
        }
        break;
      case "forward":
        this.#receiveForward(from, payload.batch);
        break;
      case "forwardRefused":
        this.#proposals.refused(payload, this.#ports.clock.monotonicMs() + REFUSED_PAUSE_MS);
        break;
      case "copiesQuery":
        this.#copies.answer(from, payload);
        break;
      case "copiesAnswer":
        this.#copies.answered(payload);
        break;
    }
    this.#plan();
  }

  onConnected(peer: NodeId): void {
    // What was sent over the old link may be lost; apply drops what is not.
    if (peer === this.#core.leader()) this.#proposals.sendAllAgain();
    this.#plan();
  }

  onDisconnected(peer: NodeId): void {
    this.#core.peerUnreachable(peer);
    this.#plan();
  }

  // ---- Rounds -----------------------------------------------------------------------------------------------

  #plan(): void {
    if (this.#roundPlanned || this.#service.isStopped) return;
    this.#roundPlanned = true;
    this.#ports.defer(this.#round);
  }

  readonly #round = (): void => {
    this.#roundPlanned = false;
    if (this.#service.isStopped) return;
    try {
      this.#work();
    } catch (error) {
      this.#fail(error as Error);
    }
  };

  #work(): void {
    const nowMs = this.#ports.clock.monotonicMs();
    this.#proposals.pump(this.#sendBatch, nowMs);
    if (this.#reads.isGathering && this.#core.leader() !== null) {
      this.#reads.pump((requestId) => this.#core.readIndex(requestId), nowMs);
    }
    while (this.#core.hasReady()) this.#carryOut(this.#core.ready());
    this.#applyCommitted();
    this.#reads.serve(this.#machine.appliedIndex);
    this.#copies.check();
    const ends = { commitIndex: this.#core.commitIndex(), lastIndex: this.#core.lastIndex() };
    this.#forwarded.tellCommit(ends, (to) => this.#core.pushCommit(to));
    while (this.#core.hasReady()) this.#carryOut(this.#core.ready());
    this.#ports.transport.flush();
    this.#ports.events.roundDone();
    this.#snapshots.work(this.#machine);
    if (!this.#applyQueue.isEmpty || this.#snapshots.isRunnable) this.#plan();
  }

  #carryOut(ready: Ready): void {
    if (ready.roleChange !== null) this.#changeRole(ready.roleChange);
    for (const message of ready.messages) this.#sendMessage(message);
    this.#writes.persist(ready);
    this.#applyQueue.push(ready.committed);
    for (const read of ready.reads) this.#reads.confirmed(read);
    for (const requestId of ready.readsFailed) this.#reads.failed(requestId);
    for (const chunk of ready.snapshotChunks) this.#snapshots.receive(chunk);
    for (const wanted of ready.snapshotsWanted) this.#snapshots.provide(wanted, this.#machine);
  }

  /** Messages that promise something may go now. */
  #release(messages: readonly Message[]): void {
    for (const message of messages) {
      if (message.to === this.nodeId) this.#core.step(message);
      else this.#sendMessage(message);
    }
    if (messages.length > 0) this.#plan();
  }

  #sendMessage(message: Message): void {
    if (message.kind === "snapshotChunk") {
      this.#snapshots.sendChunk(message, (filled) => {
        this.#send(filled.to, { kind: "raft", message: filled });
        this.#plan();
      });
    } else {
      this.#send(message.to, { kind: "raft", message });
    }
  }

  #send(to: NodeId, payload: PeerPayload): void {
    this.#ports.transport.send(to, payload);
  }

  #changeRole(change: RoleChange): void {
    this.#clock.lead(change.role === "leader");
    this.#forwarded.forget();
    this.#copies.leaderChanged();
    this.#expiry.reset();
    if (change.leader !== null) {
      this.#service.leaderHeard();
      this.#proposals.sendAllAgain();
    }
    this.#ports.events.roleChanged(change);
    this.#plan();
  }

  #applyCommitted(): void {
    this.#applyQueue.apply(this.#machine, this.#listener, this.#limits.applyRecordsPerRound);
    this.#clock.applied(this.#machine.timeMs);
    if (this.#machine.appliedIndex > 0) this.#core.applied(this.#machine.appliedIndex);
    this.#snapshots.trimCache(this.#machine.appliedIndex);
  }

  #batchComesUp(reader: BatchReader, verdict: SessionVerdict): readonly WriteClient[] | null {
    if (reader.originKey !== this.#nodeKeys.get(this.nodeId)) return null;
    if (verdict === "next") {
      const clients = this.#proposals.take(reader.incarnation, reader.sequence);
      // A write of this process comes behind everything that was acknowledged before it.
      if (clients !== null) this.#service.isCaughtUp = true;
      return clients;
    }
    if (verdict === "gap") this.#proposals.sendAllAgain();
    return null;
  }

  /**
   * After a start the log is applied anew, as far as a leader says that it is committed. Only the index of a
   * linearizable read tells when that reaches what this node had applied before, whose end need not be in its own log:
   * until then reads would go back in time (R21).
   */
  #catchUp(): void {
    const done = (errorText: string | null): void => {
      if (errorText === null) this.#service.isCaughtUp = true;
      else if (!this.#service.isStopped) this.#catchUp();
    };
    this.#reads.add(done, this.#ports.clock.monotonicMs());
  }

  // ---- Proposals --------------------------------------------------------------------------------------------

  readonly #sendBatch = (batch: OwnBatch): boolean => {
    const leader = this.#core.leader();
    if (leader === null) return false;
    if (leader !== this.nodeId) {
      return this.#ports.transport.send(leader, { kind: "forward", batch: batch.bytes });
    }
    if (this.#service.isDiskFull) return false;
    // Bytes that went to a log or to another node once must not change: the new stamp goes on a copy.
    const bytes = batch.attempts > 0 || batch.logged ? Buffer.from(batch.bytes) : batch.bytes;
    stamp(bytes, {
      timeMs: this.#clock.nowMs(),
      seed: Math.floor(this.#ports.random() * 0x100000000),
    });
    const accepted = this.#core.propose(bytes).accepted;
    if (accepted) batch.logged = true;
    return accepted;
  };

  #proposeStamped(bytes: Buffer): void {
    stamp(bytes, { timeMs: this.#clock.nowMs(), seed: 0 });
    // A refusal needs no answer: what has expired is found again by the next cycle.
    this.#core.propose(bytes);
  }

  #receiveForward(from: NodeId, batch: Uint8Array): void {
    const key = this.#nodeKeys.get(from);
    if (key === undefined) return;
    const refusal = this.#forwarded.receive(from, key, asBuffer(batch));
    if (refusal !== null) this.#send(from, refusal);
  }

  // ---- Snapshots and failure --------------------------------------------------------------------------------

  /** A received snapshot is durable and restored: it takes the place of the state and of the log. */
  #adopt(meta: SnapshotMeta, machine: StateMachine): void {
    if (meta.index <= this.#machine.appliedIndex) return;
    this.#ports.log.reset({ index: meta.index, term: meta.term }, () => {
      if (this.#service.isStopped) return;
      this.#machine = machine;
      this.#applyQueue.clear();
      this.#readRunner.keyspace = machine.keyspace;
      this.#clock.applied(machine.timeMs);
      this.#core.snapshotInstalled(meta);
      this.#answerJumped(machine);
      this.#ports.events.snapshotInstalled(meta);
      this.#plan();
    });
  }

  /** Own writes that ran before the snapshot was taken do not come up in apply any more. */
  #answerJumped(machine: StateMachine): void {
    const { incarnation } = this.#proposals;
    const key = this.#nodeKeys.get(this.nodeId) ?? "";
    this.#proposals.jumpTo(machine.sessions.sequenceOf(key, incarnation));
  }

  #fail(error: Error): void {
    this.stop();
    this.#ports.events.failed(
      error instanceof ReplicaError
        ? error
        : new ReplicaError("DEFECT", error.message, { cause: error }),
    );
  }
}

/** Leaves as many ids above it as a process could ever use; all are exact numbers. */
const REQUEST_ID_START_MAX = 2 ** 52;
/** After a refusal the leader is given this long before it is asked again. */
const REFUSED_PAUSE_MS = 20;
/** A leader without room for the log looks this often for another node to lead. */
const FULL_LEADER_RETRY_MS = 1000;
