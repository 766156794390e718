/**
 * The follower's side of a snapshot. Chunks go to the driver in order and without gaps; once the last one is handed
 * over the log is about to be replaced, and nothing may be appended until it has been: the driver would throw away
 * entries that this node has acknowledged.
 *
 *      0 ......... storedBytes ......... passedBytes ......... meta.sizeBytes
 *        on disk               at the driver          still wanted
 */
import { invariant } from "./errors.ts";
import type { RaftState } from "./state.ts";
import type { NodeId, SnapshotChunk, SnapshotMeta, SnapshotSource, Term } from "./types.ts";

export class SnapshotReceiver {
  readonly #state: RaftState;
  #meta: SnapshotMeta | null = null;
  /** The leader's term when its first chunk came, and whose file it was. */
  #term: Term = 0;
  #source: SnapshotSource | null = null;
  #passedBytes = 0;
  #storedBytes = 0;
  #wholePassed = false;

  constructor(state: RaftState) {
    this.#state = state;
  }

  /** The driver has the whole snapshot and replaces state machine and log: the core must stand still meanwhile. */
  isInstalling(): boolean {
    return this.#wholePassed;
  }

  receive(chunk: SnapshotChunk): void {
    if (this.#wholePassed) {
      // A chunk again, or another snapshot: the answer comes when this one is installed.
      return;
    }
    if (this.#isKnownAlready(chunk.meta)) {
      this.#meta = null;
      this.#answerInstalled(chunk.from, chunk.meta);
      return;
    }
    if (this.#isOvertaken(chunk)) {
      return;
    }
    this.#beginIfNew(chunk);
    if (chunk.offsetBytes < this.#passedBytes) {
      // Seen before. If it is stored the answer was lost; if not the answer will come.
      this.#answerStored(chunk.from, chunk.meta);
      return;
    }
    if (chunk.offsetBytes > this.#passedBytes) {
      this.#answerStored(chunk.from, chunk.meta);
      return;
    }
    this.#passedBytes += chunk.lengthBytes;
    this.#wholePassed = chunk.done;
    this.#state.outbox.passSnapshotChunk(chunk);
  }

  /** The driver has written everything before `nextOffsetBytes`. Not more than before: it wants to begin there again. */
  chunkStored(meta: SnapshotMeta, nextOffsetBytes: number): void {
    if (this.#meta?.index !== meta.index || nextOffsetBytes > this.#passedBytes) {
      // Of a transfer that was given up for another one since.
      return;
    }
    if (nextOffsetBytes <= this.#storedBytes) {
      this.#passedBytes = nextOffsetBytes;
      this.#wholePassed = false;
    }
    this.#storedBytes = nextOffsetBytes;
    if (this.#state.leader !== null) {
      this.#answerStored(this.#state.leader, meta);
    }
  }

  /** State machine, log and snapshot on disk are replaced. */
  installed(meta: SnapshotMeta): void {
    invariant(
      this.#wholePassed && this.#meta?.index === meta.index,
      "installWithoutSnapshot",
      "the driver installed a snapshot that was not handed to it as a whole",
    );
    this.#meta = null;
    this.#wholePassed = false;
    this.#state.installSnapshot(meta);
    if (this.#state.leader !== null) {
      this.#answerInstalled(this.#state.leader, meta);
    }
  }

  /**
   * Nothing new in it: committed already, or in the log, which then agrees with the snapshot up to there. Replacing
   * the log could drop entries behind it that were acknowledged.
   */
  #isKnownAlready(meta: SnapshotMeta): boolean {
    if (meta.index > this.#state.commitIndex && this.#state.log.matches(meta.index, meta.term)) {
      this.#state.commitTo(meta.index);
    }
    return meta.index <= this.#state.commitIndex;
  }

  /** One leader only goes on to newer snapshots, so a chunk of an older one is late. */
  #isOvertaken(chunk: SnapshotChunk): boolean {
    return this.#meta !== null && this.#term === chunk.term && chunk.meta.index < this.#meta.index;
  }

  #beginIfNew(chunk: SnapshotChunk): void {
    // Another node's snapshot of the same position need not have the same bytes: its chunks do not continue these.
    const same =
      this.#term === chunk.term &&
      isSameSource(this.#source, chunk.source ?? null) &&
      this.#meta?.index === chunk.meta.index &&
      this.#meta.sizeBytes === chunk.meta.sizeBytes;
    if (!same) {
      this.#meta = chunk.meta;
      this.#term = chunk.term;
      this.#source = chunk.source ?? null;
      this.#passedBytes = 0;
      this.#storedBytes = 0;
    }
  }

  #answerStored(to: NodeId, meta: SnapshotMeta): void {
    this.#state.outbox.send({
      kind: "snapshotResponse",
      from: this.#state.id,
      to,
      term: this.#state.term,
      index: meta.index,
      nextOffsetBytes: this.#storedBytes,
      installed: false,
    });
  }

  #answerInstalled(to: NodeId, meta: SnapshotMeta): void {
    const { outbox, id, term, commitIndex } = this.#state;
    outbox.sendAfterPersist({
      kind: "snapshotResponse",
      from: id,
      to,
      term,
      index: meta.index,
      nextOffsetBytes: meta.sizeBytes,
      installed: true,
    });
    outbox.acknowledge({
      kind: "appendResponse",
      from: id,
      to,
      term,
      success: true,
      matchIndex: commitIndex,
      rejectedIndex: 0,
      hintIndex: 0,
      hintTerm: 0,
    });
  }
}

function isSameSource(one: SnapshotSource | null, other: SnapshotSource | null): boolean {
  return one?.node === other?.node && one?.incarnation === other?.incarnation;
}
