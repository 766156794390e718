/**
 * What every role shares (paper, figure 2: persistent and volatile state on all servers), with the moves that must
 * keep several parts of it in step. Roles change it only through these methods, except for plain fields.
 */
import { ConfigurationHistory } from "./configuration-history.ts";
import { decodeConfiguration } from "./configuration.ts";
import { isAtLeast } from "./damage-floor.ts";
import { Durability } from "./durability.ts";
import { ElectionClock } from "./election-clock.ts";
import { invariant } from "./errors.ts";
import { RaftLog } from "./log.ts";
import { Outbox } from "./outbox.ts";
import { Prng } from "./prng.ts";
import { isVoter } from "./quorum.ts";
import { EntryKind } from "./types.ts";
import type {
  Configuration,
  Entry,
  HardState,
  Index,
  NodeId,
  SnapshotMeta,
  Term,
} from "./types.ts";
import type { RaftOptions } from "./core-api.ts";
import type { LogPosition } from "./damage-floor.ts";

/** Entries told as committed in one Ready: after a restart with a long log the rest follows in the next ones. */
export const committedEntriesPerReadyMax: number = 1024;

export class RaftState {
  readonly id: NodeId;
  readonly options: RaftOptions;
  readonly log: RaftLog;
  readonly configurations: ConfigurationHistory;
  readonly durability: Durability;
  readonly clock: ElectionClock;
  readonly outbox: Outbox = new Outbox();

  /** The leader of the current term, as far as it is known. */
  leader: NodeId | null = null;
  /** Who leads rather; who is not in it has the default (priorities.ts). */
  priorities: ReadonlyMap<NodeId, number> = new Map();
  /** Ticks since the start. */
  ticks = 0;
  /** How often in a row leadership was handed over for a priority's sake, and when last (preferred-leader.ts). */
  yields: { readonly count: number; readonly atTick: number } = { count: 0, atTick: 0 };

  #term: Term;
  #vote: NodeId | null;
  #commitIndex: Index;
  /** Up to here entries were told as committed; between applied and commit. */
  #toldIndex: Index;
  #appliedIndex: Index;
  #hardStateTold: HardState;
  #floor: LogPosition | null;

  constructor(options: RaftOptions) {
    const { hardState, snapshot, entries } = options.restored;
    this.id = options.id;
    this.options = options;
    this.log = new RaftLog(snapshot);
    this.configurations = new ConfigurationHistory(snapshot.index, snapshot.configuration);
    for (const entry of entries) {
      this.append(entry);
    }
    this.durability = new Durability(this.log.lastIndex);
    this.clock = new ElectionClock(
      options.electionTimeoutTicks,
      new Prng(options.seed, options.id),
      options.leases === true && hardState.term > 0 ? options.electionTimeoutTicks : 0,
    );
    this.#floor = options.restored.floor ?? null;
    this.#leaveFloorWhenWhole();
    const end = this.#floor?.index ?? this.log.lastIndex;
    invariant(
      hardState.commit <= Math.max(end, this.log.lastIndex),
      "restoredStateInconsistent",
      "the disk has lost entries that it says are committed",
    );
    // A snapshot is made durable beside the log, and so may be ahead of the hard state. No vote was given in its term.
    this.#term = Math.max(hardState.term, snapshot.term);
    this.#vote = this.#term === hardState.term ? hardState.vote : null;
    invariant(
      this.#term >= Math.max(this.log.lastTerm, this.#floor?.term ?? 0),
      "restoredStateInconsistent",
      "the log has a term that the hard state does not know of",
    );
    this.#commitIndex = Math.max(Math.min(hardState.commit, this.log.lastIndex), snapshot.index);
    this.#toldIndex = snapshot.index;
    this.#appliedIndex = snapshot.index;
    this.#hardStateTold = hardState;
  }

  get term(): Term {
    return this.#term;
  }

  get vote(): NodeId | null {
    return this.#vote;
  }

  get commitIndex(): Index {
    return this.#commitIndex;
  }

  get appliedIndex(): Index {
    return this.#appliedIndex;
  }

  get configuration(): Configuration {
    return this.configurations.current();
  }

  /** Where the log ended before it was damaged; null when the durable log is that far (again). */
  get floor(): LogPosition | null {
    return this.#floor;
  }

  /**
   * May a candidate whose log ends there be voted for (paper, section 5.4.1)? Entries that damage took were perhaps
   * acknowledged, so the end that the log once had counts like the one it has.
   */
  isUpToDate(lastIndex: Index, lastTerm: Term): boolean {
    return (
      this.log.isUpToDate(lastIndex, lastTerm) &&
      (this.#floor === null || isAtLeast({ index: lastIndex, term: lastTerm }, this.#floor))
    );
  }

  /** The disk has confirmed a batch. True when more of the log is durable than before. */
  persisted(position: LogPosition): boolean {
    const advanced = this.durability.persisted(position);
    if (advanced) {
      this.#leaveFloorWhenWhole();
    }
    return advanced;
  }

  isVoter(): boolean {
    return isVoter(this.configuration, this.id);
  }

  /** Enters a later term, in which no vote has been given yet. */
  enterTerm(term: Term): void {
    invariant(term > this.#term, "termBackwards", "a term was entered that is not a later one");
    this.#term = term;
    this.#vote = null;
    this.leader = null;
  }

  /** At most one vote per term (paper, section 5.2). */
  voteFor(candidate: NodeId): void {
    invariant(
      this.#vote === null || this.#vote === candidate,
      "voteChanged",
      "a second candidate would get this term's vote",
    );
    this.#vote = candidate;
  }

  /** Appends one entry; a configuration in it is in force from here on. True when it was one. */
  append(entry: Entry): boolean {
    this.log.append(entry);
    if (entry.kind !== EntryKind.Configuration) {
      return false;
    }
    this.configurations.record(entry.index, decodeConfiguration(entry.data));
    return true;
  }

  /** Cuts the log from `index` on, and takes back a configuration that goes with it. */
  cutFrom(index: Index): void {
    invariant(index > this.#commitIndex, "committedEntryCut", "a committed entry would be cut");
    this.log.cutFrom(index);
    this.durability.cutFrom(index);
    this.configurations.cutFrom(index);
  }

  /** Moves the commit index forward; an index that is already committed changes nothing. */
  commitTo(index: Index): boolean {
    if (index <= this.#commitIndex) {
      return false;
    }
    invariant(index <= this.log.lastIndex, "commitBeyondLog", "the commit index passes the log");
    this.#commitIndex = index;
    return true;
  }

  applied(index: Index): void {
    invariant(index <= this.#toldIndex, "appliedOutOfRange", "applied what was not told committed");
    this.#appliedIndex = Math.max(this.#appliedIndex, index);
  }

  compact(index: Index): void {
    invariant(index <= this.#appliedIndex, "compactBeyondApplied", "not applied yet");
    this.log.compactTo(index);
    this.configurations.compactTo(index);
  }

  /** The state machine and the disk now begin behind this snapshot. */
  installSnapshot(meta: SnapshotMeta): void {
    invariant(meta.index > this.#commitIndex, "snapshotBehindCommit", "a snapshot went backwards");
    this.log.reset(meta.index, meta.term);
    this.configurations.reset(meta.index, meta.configuration);
    this.durability.reset(meta.index);
    this.#commitIndex = meta.index;
    this.#toldIndex = meta.index;
    this.#appliedIndex = meta.index;
    this.#leaveFloorWhenWhole();
  }

  hasCommittedToTell(): boolean {
    return this.#toldIndex < this.#commitIndex;
  }

  takeCommitted(): readonly Entry[] {
    const from = this.#toldIndex + 1;
    const to = Math.min(this.#commitIndex, this.#toldIndex + committedEntriesPerReadyMax);
    this.#toldIndex = to;
    return this.log.slice(from, to);
  }

  /** A term or vote that is not on its way to the disk yet. */
  mustWriteHardState(): boolean {
    return this.#term !== this.#hardStateTold.term || this.#vote !== this.#hardStateTold.vote;
  }

  /**
   * The hard state to write, or null. A new commit index alone is no reason to write: it travels with the next
   * entries. It never passes what is durable here, so a restored commit beyond the log proves that entries were lost.
   */
  takeHardState(withEntries: boolean): HardState | null {
    const commit = Math.max(
      this.#hardStateTold.commit,
      Math.min(this.#commitIndex, this.durability.durableIndex),
    );
    const commitMoved = withEntries && commit > this.#hardStateTold.commit;
    if (!this.mustWriteHardState() && !commitMoved) {
      return null;
    }
    this.#hardStateTold = { term: this.#term, vote: this.#vote, commit };
    return this.#hardStateTold;
  }

  /** See `RaftCoreApi.ownEntryCommitted`: an entry of an earlier term says nothing about what the floor's leader appended. */
  lowerFloor(index: Index): void {
    const floor = this.#floor;
    if (floor === null || index >= floor.index || this.log.termAt(index) !== floor.term) return;
    this.#floor = { index, term: floor.term };
    this.#leaveFloorWhenWhole();
  }

  /** Only what is on disk counts: a crash must not bring back a node that forgot both the entries and the floor. */
  #leaveFloorWhenWhole(): void {
    const index = this.durability.durableIndex;
    const end = { index, term: this.log.termAt(index) ?? 0 };
    if (this.#floor !== null && isAtLeast(end, this.#floor)) {
      this.#floor = null;
    }
  }
}
