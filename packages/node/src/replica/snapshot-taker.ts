/**
 * Takes a snapshot beside the traffic: a slice of the keyspace at a time, between other work. What is written
 * meanwhile is kept in its old form by the keyspace (design decision 6), so that the file holds the state at exactly one index.
 */
import type { SnapshotMeta } from "@ferrite/raft";
import type {
  KeyspaceSnapshot,
  SnapshotBytes,
  SnapshotSink,
  SnapshotStore,
} from "@ferrite/storage";
import { asBuffer } from "./batch.ts";
import { encodeHeader } from "./snapshot-format.ts";
import type { StateMachine } from "./state-machine.ts";

/** Index slots visited in one slice: well below 1 ms of work. */
export const SLICE_SLOTS = 1024;
export const SLICE_BYTES: number = 256 * 1024;
/** Bytes handed to the disk and not written yet; the walk waits beyond it. */
export const UNWRITTEN_BYTES_MAX: number = 8 * 1024 * 1024;

/** A reused buffer for one slice's records. */
class SliceBytes implements SnapshotBytes {
  #buffer: Buffer = Buffer.allocUnsafeSlow(2 * SLICE_BYTES);
  length = 0;

  append(source: Uint8Array, start: number, end: number): void {
    const needed = this.length + (end - start);
    if (needed > this.#buffer.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#buffer.length * 2));
      this.#buffer.copy(grown, 0, 0, this.length);
      this.#buffer = grown;
    }
    asBuffer(source).copy(this.#buffer, this.length, start, end);
    this.length = needed;
  }

  take(): Buffer {
    const bytes = Buffer.from(this.#buffer.subarray(0, this.length));
    this.length = 0;
    return bytes;
  }
}

export interface SnapshotTakerEvents {
  /** It is durable and the newest. */
  onTaken(meta: SnapshotMeta): void;
  onFailed(error: Error): void;
}

export class SnapshotTaker {
  readonly #events: SnapshotTakerEvents;
  readonly #meta: SnapshotMeta;
  readonly #walk: KeyspaceSnapshot;
  readonly #sink: SnapshotSink;
  readonly #slice: SliceBytes = new SliceBytes();
  #unwrittenBytes = 0;
  #sizeBytes = 0;
  #state: "walking" | "committing" | "ended" = "walking";

  /** Begins a snapshot of the state as it is now. */
  constructor(machine: StateMachine, store: SnapshotStore, events: SnapshotTakerEvents) {
    this.#events = events;
    this.#meta = {
      index: machine.appliedIndex,
      term: machine.appliedTerm,
      configuration: machine.configuration,
      sizeBytes: 0,
    };
    this.#sink = store.create(this.#meta);
    this.#walk = machine.keyspace.beginSnapshot();
    this.#write(encodeHeader(machine.header()));
  }

  get index(): number {
    return this.#meta.index;
  }

  /** Whether another slice can be done now (false: it waits for the disk, or all is done). */
  get isRunnable(): boolean {
    return this.#state === "walking" && this.#unwrittenBytes < UNWRITTEN_BYTES_MAX;
  }

  /** One slice of the walk. */
  step(): void {
    if (!this.isRunnable) return;
    const done = this.#walk.step(this.#slice, { slots: SLICE_SLOTS, bytes: SLICE_BYTES });
    if (this.#slice.length >= SLICE_BYTES || (done && this.#slice.length > 0)) {
      this.#write(this.#slice.take());
    }
    if (!done) return;
    this.#state = "committing";
    this.#sink.commit((error) => {
      if (this.#state !== "committing") return;
      this.#state = "ended";
      if (error === null) this.#events.onTaken({ ...this.#meta, sizeBytes: this.#sizeBytes });
      else this.#events.onFailed(error);
    });
  }

  /** Gives up: another state took this one's place, or the node stops. */
  cancel(): void {
    if (this.#state === "walking") this.#walk.cancel();
    if (this.#state !== "ended") this.#sink.abort();
    this.#state = "ended";
  }

  #write(bytes: Buffer): void {
    this.#unwrittenBytes += bytes.length;
    this.#sizeBytes += bytes.length;
    this.#sink.write(bytes, (error) => {
      this.#unwrittenBytes -= bytes.length;
      if (error === null || this.#state === "ended") return;
      this.cancel();
      this.#events.onFailed(error);
    });
  }
}
