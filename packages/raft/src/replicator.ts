/** Brings the leader's log to the other members: the sender's half of AppendEntries (paper, figure 2). */
import { invariant } from "./errors.ts";
import { Progress } from "./progress.ts";
import { allMembers } from "./quorum.ts";
import { SnapshotTransfer } from "./snapshot-transfer.ts";
import type { PeerProgress } from "./core-api.ts";
import type { RaftState } from "./state.ts";
import type {
  AppendResponse,
  Entry,
  Index,
  NodeId,
  SnapshotMeta,
  SnapshotResponse,
  SnapshotSource,
} from "./types.ts";

/** Entry bytes that a probe carries at most; with a larger first entry it carries none. */
export const probeBytesMax: number = 64 * 1024;

export class Replicator {
  readonly #state: RaftState;
  readonly #peers: Map<NodeId, Progress> = new Map<NodeId, Progress>();
  #now = 0;
  /** Something changed that may let an append go: looked at once per Ready, so that proposals share messages. */
  #due = true;
  /** The commit index when overdue news of it was last looked for. */
  #commitSeen: Index = 0;

  constructor(state: RaftState) {
    this.#state = state;
    this.syncMembers();
  }

  get(peer: NodeId): Progress | undefined {
    return this.#peers.get(peer);
  }

  peers(): IterableIterator<Progress> {
    return this.#peers.values();
  }

  /** Another configuration is in force: followers come and go. */
  syncMembers(): void {
    const members = new Set(allMembers(this.#state.configuration));
    for (const known of this.#peers.keys()) {
      if (!members.has(known)) {
        this.#peers.delete(known);
      }
    }
    const { log, options, id } = this.#state;
    for (const member of members) {
      if (member !== id && !this.#peers.has(member)) {
        this.#peers.set(
          member,
          new Progress({
            id: member,
            nextIndex: log.lastIndex + 1,
            heardAtTick: this.#now,
            limits: {
              messagesMax: options.inflightMessagesMax,
              bytesMax: options.inflightBytesMax,
            },
          }),
        );
      }
    }
    this.#due = true;
  }

  tick(): void {
    this.#now += 1;
    for (const progress of this.#peers.values()) {
      progress.snapshot?.tick(this.isActive(progress));
    }
  }

  heard(progress: Progress): void {
    progress.heardAtTick = this.#now;
  }

  isActive(progress: Progress): boolean {
    return this.#now - progress.heardAtTick < this.#state.options.electionTimeoutTicks;
  }

  /** How far `voter` is known to have the log on disk. The own log counts by what the disk has confirmed. */
  matchOf(voter: NodeId): Index {
    if (voter === this.#state.id) {
      return this.#state.durability.durableIndex;
    }
    return this.#peers.get(voter)?.matchIndex ?? 0;
  }

  logGrew(): void {
    this.#due = true;
  }

  pushCommit(to: NodeId | undefined): void {
    for (const progress of this.#peers.values()) {
      if (to === undefined || progress.id === to) {
        progress.commitPushDue = true;
        this.#due = true;
      }
    }
  }

  pushOverdueCommit(): void {
    for (const progress of this.#peers.values()) {
      if (progress.commitTold < this.#commitSeen) {
        progress.commitPushDue = true;
        this.#due = true;
      }
    }
    this.#commitSeen = this.#state.commitIndex;
  }

  hasWork(): boolean {
    return this.#due;
  }

  flush(): void {
    if (!this.#due) {
      return;
    }
    this.#due = false;
    for (const progress of this.#peers.values()) {
      this.#fillWindow(progress);
      this.#tellCommit(progress);
    }
  }

  /** True when the follower is known to have more than before. */
  appendAnswered(progress: Progress, response: AppendResponse): boolean {
    this.#due = true;
    if (response.success) {
      return this.#accepted(progress, response.matchIndex);
    }
    if (response.lowersMatch === true && response.matchIndex < progress.matchIndex) {
      this.#lowerMatch(progress, response.matchIndex);
    } else {
      this.#refused(progress, response);
    }
    return false;
  }

  /**
   * A sign of life. Heartbeats are answered without the disk, appends with it: an answer is only missed when it has
   * not come by the second one. Then a probe goes again; and when nothing has arrived of a pipeline although something
   * is missing, its tail may be lost, and an empty append behind it finds out.
   */
  heartbeatAnswered(progress: Progress): void {
    progress.snapshot?.heard();
    if (progress.state === "probe") {
      progress.probeInFlight = progress.probeInFlight && !progress.probeOverdue;
      progress.probeOverdue = true;
      this.#due = true;
    } else if (progress.state === "replicate") {
      const behind = progress.matchIndex < this.#state.log.lastIndex;
      if (behind && progress.matchAtHeartbeat === progress.matchIndex) {
        this.#send(progress, []);
      }
    }
    progress.matchAtHeartbeat = progress.matchIndex;
  }

  /** The link broke: what was on its way is lost. The next sign of life lets the probe go. */
  unreachable(peer: NodeId): void {
    const progress = this.#peers.get(peer);
    if (progress === undefined) {
      return;
    }
    if (progress.snapshot !== null) {
      progress.snapshot.stall();
      return;
    }
    progress.becomeProbe(progress.matchIndex + 1);
    progress.waitForSignOfLife();
  }

  snapshotAvailable(to: NodeId, meta: SnapshotMeta, source: SnapshotSource | null): void {
    this.#peers.get(to)?.snapshot?.available(meta, source);
  }

  snapshotUnavailable(to: NodeId): void {
    this.#peers.get(to)?.snapshot?.unavailable();
  }

  /** True when the follower is known to have more than before. */
  snapshotAnswered(progress: Progress, response: SnapshotResponse): boolean {
    if (!response.installed) {
      progress.snapshot?.answered(response);
      return false;
    }
    const advanced = response.index > progress.matchIndex;
    progress.matchIndex = Math.max(progress.matchIndex, response.index);
    if (progress.snapshot !== null) {
      progress.becomeProbe(progress.matchIndex + 1);
    }
    this.#due = true;
    return advanced;
  }

  describe(): ReadonlyMap<NodeId, PeerProgress> {
    const { learners, voters, votersOutgoing } = this.#state.configuration;
    const described = new Map<NodeId, PeerProgress>();
    for (const progress of this.#peers.values()) {
      const votes = voters.includes(progress.id) || votersOutgoing.includes(progress.id);
      described.set(progress.id, {
        matchIndex: progress.matchIndex,
        nextIndex: progress.nextIndex,
        state: progress.state,
        active: this.isActive(progress),
        inflightMessages: progress.inflights.count,
        inflightBytes: progress.inflights.bytes,
        learner: !votes && learners.includes(progress.id),
      });
    }
    return described;
  }

  #accepted(progress: Progress, matchIndex: Index): boolean {
    invariant(
      matchIndex <= this.#state.log.lastIndex,
      "matchBeyondLog",
      "a follower acknowledged what the leader does not have",
    );
    const advanced = matchIndex > progress.matchIndex;
    progress.matchIndex = Math.max(progress.matchIndex, matchIndex);
    progress.nextIndex = Math.max(progress.nextIndex, matchIndex + 1);
    progress.inflights.freeTo(matchIndex);
    const state = progress.state;
    if (state === "probe") {
      progress.becomeReplicate();
    } else if (state === "snapshot" && progress.matchIndex >= this.#state.log.snapshotIndex) {
      progress.becomeProbe(progress.matchIndex + 1);
    }
    return advanced;
  }

  /**
   * Damage took entries that the follower had acknowledged (R42, R58). What was committed by counting them stays
   * committed: the follower votes for nobody without them. Counting less from now on is safe, whatever comes late.
   */
  #lowerMatch(progress: Progress, matchIndex: Index): void {
    progress.matchIndex = matchIndex;
    if (progress.state !== "snapshot") {
      progress.becomeProbe(matchIndex + 1);
    }
  }

  /** Only a refusal of what is now assumed counts; answers to older appends are late. */
  #refused(progress: Progress, response: AppendResponse): void {
    const { rejectedIndex, hintIndex, hintTerm } = response;
    if (rejectedIndex <= progress.matchIndex || progress.state === "snapshot") {
      return;
    }
    if (progress.state === "replicate") {
      // An append of the pipeline was lost or overtaken: go back to what is certain.
      progress.becomeProbe(progress.matchIndex + 1);
      return;
    }
    if (rejectedIndex !== progress.nextIndex - 1) {
      return;
    }
    const { log } = this.#state;
    const agreeing = log.lastIndexOfTermAtMost(hintIndex, hintTerm);
    // Null: the logs part before this log begins. The entry before `snapshotIndex` is unknown, so a snapshot follows.
    const nextIndex = agreeing === null ? log.snapshotIndex : agreeing + 1;
    progress.becomeProbe(Math.min(rejectedIndex, nextIndex));
  }

  #fillWindow(progress: Progress): void {
    const { log, options } = this.#state;
    if (progress.state === "probe" && !progress.probeInFlight) {
      this.#send(progress, this.#probeEntriesFor(progress));
      return;
    }
    while (
      progress.state === "replicate" &&
      progress.nextIndex <= log.lastIndex &&
      !progress.inflights.isFull()
    ) {
      this.#send(progress, this.#entriesFor(progress, options.appendBytesMax));
    }
  }

  #tellCommit(progress: Progress): void {
    if (!progress.commitPushDue || progress.state !== "replicate") {
      return;
    }
    progress.commitPushDue = false;
    if (progress.commitTold < this.#state.commitIndex) {
      this.#send(progress, []);
    }
  }

  /** A probe may miss, and is sent again when its answer takes long: what is large waits until it is known to fit. */
  #probeEntriesFor(progress: Progress): readonly Entry[] {
    const entries = this.#entriesFor(
      progress,
      Math.min(this.#state.options.appendBytesMax, probeBytesMax),
    );
    return sizeBytesOf(entries) > probeBytesMax ? [] : entries;
  }

  #entriesFor(progress: Progress, bytesMax: number): readonly Entry[] {
    if (progress.nextIndex < this.#state.log.firstIndex) {
      return [];
    }
    return this.#state.log.sliceBytes(progress.nextIndex, bytesMax);
  }

  #send(progress: Progress, entries: readonly Entry[]): void {
    const { log, outbox, id, term, commitIndex } = this.#state;
    const previousIndex = progress.nextIndex - 1;
    const previousTerm = log.termAt(previousIndex);
    if (previousTerm === null) {
      this.#beginSnapshot(progress);
      return;
    }
    outbox.send({
      kind: "append",
      from: id,
      to: progress.id,
      term,
      previousIndex,
      previousTerm,
      entries,
      commit: commitIndex,
    });
    progress.commitTold = Math.max(progress.commitTold, commitIndex);
    if (progress.state === "probe") {
      progress.probeInFlight = true;
      progress.probeOverdue = false;
    } else if (entries.length > 0) {
      progress.nextIndex += entries.length;
      progress.inflights.add(progress.nextIndex - 1, sizeBytesOf(entries));
    }
  }

  /** Snapshots are large: nobody prepares one for a follower that is not there. */
  #beginSnapshot(progress: Progress): void {
    if (this.isActive(progress)) {
      progress.becomeSnapshot(new SnapshotTransfer(this.#state, progress));
    } else {
      progress.becomeProbe(progress.nextIndex);
      progress.waitForSignOfLife();
    }
  }
}

function sizeBytesOf(entries: readonly Entry[]): number {
  let sizeBytes = 0;
  for (const entry of entries) {
    sizeBytes += entry.data.byteLength;
  }
  return sizeBytes;
}
