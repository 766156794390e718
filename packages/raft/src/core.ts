/** The consensus core: takes ticks, messages and requests in, hands out what is to be done as `Ready`. */
import { RaftError } from "./errors.ts";
import { Office } from "./office.ts";
import { RaftState } from "./state.ts";
import { EntryKind } from "./types.ts";
import type { ProposeResult, RaftCoreApi, RaftOptions, RaftStatus } from "./core-api.ts";
import type { LogPosition } from "./damage-floor.ts";
import type { Ready } from "./ready.ts";
import type {
  Configuration,
  Index,
  Message,
  NodeId,
  Role,
  SnapshotMeta,
  SnapshotSource,
  Term,
} from "./types.ts";

const NO_PROGRESS: RaftStatus["progress"] = new Map();

/**
 * One node's part in the protocol. Pure: the same options and the same calls give the same Readys. See ready.ts for
 * what a driver owes it. Throws `InvariantError` when its state can not be right any more; the node must stop then.
 */
export class RaftCore implements RaftCoreApi {
  readonly #state: RaftState;
  readonly #office: Office;

  /** Throws `RaftError` ("optionInvalid") for options out of range, `InvariantError` for a disk that contradicts itself. */
  constructor(options: RaftOptions) {
    validateOptions(options);
    this.#state = new RaftState(options);
    this.#office = new Office(this.#state);
  }

  tick(): void {
    this.#state.ticks += 1;
    this.#office.holder.tick();
  }

  step(message: Message): void {
    this.#office.step(message);
  }

  propose(data: Uint8Array, kind: EntryKind = EntryKind.Normal): ProposeResult {
    return this.#office.holder.propose(data, kind);
  }

  readIndex(requestId: number): void {
    this.#office.holder.readIndex(requestId);
  }

  wantLease(): void {
    this.#office.leader?.lease.want();
  }

  leaseTicksLeft(): number {
    return this.#office.leader?.lease.ticksLeft() ?? 0;
  }

  pushCommit(to?: NodeId): void {
    this.#office.leader?.replicator.pushCommit(to);
  }

  pushOverdueCommit(): void {
    this.#office.leader?.replicator.pushOverdueCommit();
  }

  transferLeadership(target?: NodeId): boolean {
    return this.#office.leader?.transfer.begin(target) ?? false;
  }

  cancelTransfer(): boolean {
    return this.#office.leader?.transfer.cancel() ?? false;
  }

  setPriorities(priorities: ReadonlyMap<NodeId, number>): void {
    const known = this.#state.priorities;
    const same = priorities.size === known.size;
    if (same && [...priorities].every(([id, priority]) => known.get(id) === priority)) {
      return;
    }
    this.#state.priorities = new Map(priorities);
    this.#state.yields = { count: 0, atTick: this.#state.ticks };
  }

  stepDown(): void {
    const { leader } = this.#office;
    if (leader !== null) {
      leader.handOver();
      this.#office.becomeFollower(this.#state.term, null);
    }
  }

  peerUnreachable(peer: NodeId): void {
    this.#office.holder.peerUnreachable(peer);
  }

  hasReady(): boolean {
    const state = this.#state;
    return (
      this.#office.holder.hasWork() ||
      !state.outbox.isEmpty() ||
      state.durability.hasUnwritten(state.log) ||
      state.hasCommittedToTell() ||
      state.mustWriteHardState()
    );
  }

  ready(): Ready {
    const state = this.#state;
    this.#office.holder.flush();
    const entries = state.durability.takeUnwritten(state.log);
    const hardState = state.takeHardState(entries.length > 0);
    return state.outbox.take(hardState, entries, state.takeCommitted());
  }

  persisted(position: { readonly index: Index; readonly term: Term }): void {
    if (this.#state.persisted(position)) {
      this.#office.holder.durableAdvanced();
    }
  }

  applied(index: Index): void {
    this.#state.applied(index);
  }

  ownEntryCommitted(index: Index): void {
    this.#state.lowerFloor(index);
  }

  compact(index: Index): void {
    this.#state.compact(index);
  }

  snapshotAvailable(to: NodeId, meta: SnapshotMeta, source: SnapshotSource | null = null): void {
    this.#office.leader?.replicator.snapshotAvailable(to, meta, source);
  }

  snapshotUnavailable(to: NodeId): void {
    this.#office.leader?.replicator.snapshotUnavailable(to);
  }

  snapshotChunkStored(meta: SnapshotMeta, nextOffsetBytes: number): void {
    this.#office.receiver.chunkStored(meta, nextOffsetBytes);
  }

  snapshotInstalled(meta: SnapshotMeta): void {
    this.#office.receiver.installed(meta);
    this.#office.announce();
  }

  configurationAt(index: Index): Configuration {
    return this.#state.configurations.at(index);
  }

  logBytes(): number {
    return this.#state.log.dataBytes;
  }

  floor(): LogPosition | null {
    return this.#state.floor;
  }

  status(): RaftStatus {
    const state = this.#state;
    const { leader } = this.#office;
    return {
      id: state.id,
      role: this.role(),
      term: state.term,
      vote: state.vote,
      leader: state.leader,
      commitIndex: state.commitIndex,
      appliedIndex: state.appliedIndex,
      firstIndex: state.log.firstIndex,
      lastIndex: state.log.lastIndex,
      durableIndex: state.durability.durableIndex,
      configuration: state.configuration,
      progress: leader?.replicator.describe() ?? NO_PROGRESS,
      transferTarget: leader?.transfer.target ?? null,
      floor: state.floor,
    };
  }

  role(): Role {
    return this.#office.holder.role;
  }

  leader(): NodeId | null {
    return this.#state.leader;
  }

  term(): Term {
    return this.#state.term;
  }

  commitIndex(): Index {
    return this.#state.commitIndex;
  }

  lastIndex(): Index {
    return this.#state.log.lastIndex;
  }
}

function validateOptions(options: RaftOptions): void {
  const positive = {
    electionTimeoutTicks: options.electionTimeoutTicks,
    heartbeatIntervalTicks: options.heartbeatIntervalTicks,
    inflightMessagesMax: options.inflightMessagesMax,
    inflightBytesMax: options.inflightBytesMax,
    appendBytesMax: options.appendBytesMax,
    uncommittedBytesMax: options.uncommittedBytesMax,
    snapshotChunkBytes: options.snapshotChunkBytes,
  };
  for (const [name, value] of Object.entries(positive)) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new RaftError("optionInvalid", `${name} must be a whole number above 0, not ${value}`);
    }
  }
  if (options.heartbeatIntervalTicks >= options.electionTimeoutTicks) {
    throw new RaftError(
      "optionInvalid",
      `heartbeatIntervalTicks (${options.heartbeatIntervalTicks}) must be below ` +
        `electionTimeoutTicks (${options.electionTimeoutTicks})`,
    );
  }
}
