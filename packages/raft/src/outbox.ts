/** Collects what the roles want done until the driver takes it as one Ready. */
import type { Ready, ReadState, RoleChange, SnapshotWanted } from "./ready.ts";
import type { AppendResponse, Entry, HardState, Index, Message, SnapshotChunk } from "./types.ts";

export class Outbox {
  #messages: Message[] = [];
  #messagesAfterPersist: Message[] = [];
  /** Where in `#messagesAfterPersist` the acknowledgement of this Ready is, or -1. */
  #acknowledgementAt = -1;
  #reads: ReadState[] = [];
  #readsFailed: number[] = [];
  #snapshotChunks: SnapshotChunk[] = [];
  #snapshotsWanted: SnapshotWanted[] = [];
  #roleChange: RoleChange | null = null;
  #lastRoleChange: RoleChange | null = null;

  /** May leave at once. */
  send(message: Message): void {
    this.#messages.push(message);
  }

  /** Promises durability: leaves when everything appended and voted so far is on disk. */
  sendAfterPersist(message: Message): void {
    this.#messagesAfterPersist.push(message);
  }

  /** A later acknowledgement to the same leader says all that an earlier one did: one per Ready is enough. */
  acknowledge(response: AppendResponse): void {
    const earlier = this.#messagesAfterPersist[this.#acknowledgementAt];
    if (
      earlier?.kind === "appendResponse" &&
      earlier.to === response.to &&
      earlier.term === response.term
    ) {
      if (response.matchIndex > earlier.matchIndex) {
        this.#messagesAfterPersist[this.#acknowledgementAt] = response;
      }
      return;
    }
    this.#acknowledgementAt = this.#messagesAfterPersist.length;
    this.#messagesAfterPersist.push(response);
  }

  readConfirmed(requestId: number, index: Index): void {
    this.#reads.push({ requestId, index });
  }

  readFailed(requestId: number): void {
    this.#readsFailed.push(requestId);
  }

  passSnapshotChunk(chunk: SnapshotChunk): void {
    this.#snapshotChunks.push(chunk);
  }

  wantSnapshot(wanted: SnapshotWanted): void {
    this.#snapshotsWanted.push(wanted);
  }

  /** Several changes before the next Ready are told as the last of them; none if nothing is different then. */
  officeIs(change: RoleChange): void {
    const told = this.#lastRoleChange;
    const same =
      told !== null &&
      told.role === change.role &&
      told.term === change.term &&
      told.leader === change.leader;
    this.#roleChange = same ? null : change;
  }

  isEmpty(): boolean {
    return (
      this.#messages.length === 0 &&
      this.#messagesAfterPersist.length === 0 &&
      this.#reads.length === 0 &&
      this.#readsFailed.length === 0 &&
      this.#snapshotChunks.length === 0 &&
      this.#snapshotsWanted.length === 0 &&
      this.#roleChange === null
    );
  }

  /** Hands everything over and begins anew. */
  take(hardState: HardState | null, entries: readonly Entry[], committed: readonly Entry[]): Ready {
    const ready: Ready = {
      hardState,
      entries,
      messages: this.#messages,
      messagesAfterPersist: this.#messagesAfterPersist,
      committed,
      reads: this.#reads,
      readsFailed: this.#readsFailed,
      roleChange: this.#roleChange,
      snapshotChunks: this.#snapshotChunks,
      snapshotsWanted: this.#snapshotsWanted,
    };
    this.#lastRoleChange = this.#roleChange ?? this.#lastRoleChange;
    this.#messages = [];
    this.#messagesAfterPersist = [];
    this.#acknowledgementAt = -1;
    this.#reads = [];
    this.#readsFailed = [];
    this.#snapshotChunks = [];
    this.#snapshotsWanted = [];
    this.#roleChange = null;
    return ready;
  }
}
