/**
 * One snapshot on its way from the leader to one follower: a window of chunks, resumed where the follower wants it.
 *
 *      0 ......... acceptedBytes ......... sentBytes ......... meta.sizeBytes
 *        the follower has it      on its way       to be sent
 *
 * The driver is asked for a snapshot once per need, and again, with growing pauses, when it has none.
 */
import type { RaftState } from "./state.ts";
import type { Index, NodeId, SnapshotMeta, SnapshotResponse, SnapshotSource } from "./types.ts";

/** Chunks on their way at once. */
export const snapshotChunksInFlightMax: number = 4;
/** Longest pause before the driver is asked again, in election timeouts. */
const RETRY_ELECTION_TIMEOUTS_MAX = 8;

const NO_DATA: Uint8Array = new Uint8Array(0);

/** Whom it is for, and what is known of it beyond this transfer. */
export interface SnapshotTarget {
  readonly id: NodeId;
  snapshotIndexOffered: Index;
}

export class SnapshotTransfer {
  readonly #state: RaftState;
  readonly #target: SnapshotTarget;
  #meta: SnapshotMeta | null = null;
  #source: SnapshotSource | null = null;
  #acceptedBytes = 0;
  #sentBytes = 0;
  #lastChunkSent = false;
  /** No progress for a while: then, and only then, an answer may take the transfer backwards. */
  #stalled = false;
  #idleTicks = 0;
  #retryInTicks = 0;
  #refusals = 0;

  constructor(state: RaftState, target: SnapshotTarget) {
    this.#state = state;
    this.#target = target;
    this.#ask();
  }

  /** The driver has a snapshot, or another node does. One older than the log's beginning is useless by now. */
  available(meta: SnapshotMeta, source: SnapshotSource | null): void {
    if (this.#meta !== null) {
      return;
    }
    if (meta.index < this.#minimumIndex) {
      this.unavailable();
      return;
    }
    this.#meta = meta;
    this.#source = source;
    this.#target.snapshotIndexOffered = meta.index;
    this.#retryInTicks = 0;
    this.#restartAt(0);
    this.#fill();
  }

  /** The driver has none, or can not read the one it offered. */
  unavailable(): void {
    if (this.#retryInTicks > 0) {
      // Told once per chunk that could not be read; it is one refusal.
      return;
    }
    this.#meta = null;
    const timeouts = Math.min(2 ** this.#refusals, RETRY_ELECTION_TIMEOUTS_MAX);
    this.#retryInTicks = timeouts * this.#state.options.electionTimeoutTicks;
    this.#refusals += 1;
  }

  /** The follower answered a chunk (not with `installed`: that ends the transfer). */
  answered(response: SnapshotResponse): void {
    if (this.#meta === null || response.index !== this.#meta.index) {
      return;
    }
    const wanted = Math.min(response.nextOffsetBytes, this.#meta.sizeBytes);
    if (wanted > this.#acceptedBytes) {
      this.#refusals = 0;
      this.#acceptedBytes = wanted;
      this.#sentBytes = Math.max(this.#sentBytes, wanted);
      this.#stalled = false;
      this.#idleTicks = 0;
    } else if (wanted < this.#acceptedBytes && this.#stalled) {
      // It has less than it said before: it was restarted. A late answer looks the same, hence the condition.
      this.#restartAt(wanted);
    }
    this.#fill();
  }

  /** The link broke, or nothing came for long: what was on its way may be lost. */
  stall(): void {
    this.#stalled = true;
  }

  /** The follower shows that it is alive. */
  heard(): void {
    if (this.#stalled && this.#idleTicks > this.#state.options.heartbeatIntervalTicks) {
      this.#resend();
    }
  }

  tick(active: boolean): void {
    if (this.#meta === null) {
      this.#tickRetry(active);
      return;
    }
    this.#idleTicks += 1;
    if (active && this.#idleTicks >= this.#state.options.electionTimeoutTicks) {
      this.#resend();
    }
  }

  #tickRetry(active: boolean): void {
    if (this.#retryInTicks === 0 || !active) {
      return;
    }
    this.#retryInTicks -= 1;
    if (this.#retryInTicks === 0) {
      this.#ask();
    }
  }

  #ask(): void {
    this.#state.outbox.wantSnapshot({
      to: this.#target.id,
      minimumIndex: this.#minimumIndex,
    });
  }

  get #minimumIndex(): Index {
    return Math.max(this.#state.log.snapshotIndex, this.#target.snapshotIndexOffered);
  }

  /** Sends again from what is known to have arrived; at least the last chunk, whose answer tells of the end. */
  #resend(): void {
    if (this.#meta === null) {
      return;
    }
    const { snapshotChunkBytes } = this.#state.options;
    const { sizeBytes } = this.#meta;
    // Only a whole one is repeated in part: what continues a part must begin exactly where that ends.
    const whole = this.#acceptedBytes >= sizeBytes;
    this.#sentBytes = whole ? Math.max(0, sizeBytes - snapshotChunkBytes) : this.#acceptedBytes;
    this.#lastChunkSent = false;
    this.#stalled = true;
    this.#idleTicks = 0;
    this.#fill();
  }

  #restartAt(offsetBytes: number): void {
    this.#acceptedBytes = offsetBytes;
    this.#sentBytes = offsetBytes;
    this.#lastChunkSent = false;
    this.#idleTicks = 0;
  }

  #fill(): void {
    const meta = this.#meta;
    if (meta === null) {
      return;
    }
    const { snapshotChunkBytes } = this.#state.options;
    const windowBytes = snapshotChunksInFlightMax * snapshotChunkBytes;
    while (!this.#lastChunkSent && this.#sentBytes - this.#acceptedBytes < windowBytes) {
      const lengthBytes = Math.min(snapshotChunkBytes, meta.sizeBytes - this.#sentBytes);
      const done = this.#sentBytes + lengthBytes >= meta.sizeBytes;
      this.#state.outbox.send({
        kind: "snapshotChunk",
        from: this.#state.id,
        to: this.#target.id,
        term: this.#state.term,
        meta,
        source: this.#source,
        offsetBytes: this.#sentBytes,
        lengthBytes,
        done,
        data: NO_DATA,
      });
      this.#sentBytes += lengthBytes;
      this.#lastChunkSent = done;
    }
  }
}
