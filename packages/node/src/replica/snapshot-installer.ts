/**
 * Takes a snapshot from the leader's chunks to a new state machine. The old state serves reads until the new one is
 * whole: a snapshot that turns out to be bad changes nothing.
 */
import type { Index, SnapshotChunk, SnapshotMeta } from "@ferrite/raft";
import type { SnapshotSink, SnapshotStore } from "@ferrite/storage";
import { ReplicaError } from "./errors.ts";
import { SnapshotReader } from "./snapshot-format.ts";
import type { StateMachine } from "./state-machine.ts";

const READ_BYTES = 1024 * 1024;

export interface SnapshotInstallerEvents {
  /** The chunk is written; the next one may begin at `nextOffsetBytes`. */
  onStored(meta: SnapshotMeta, nextOffsetBytes: number): void;
  /** The whole is durable in the store and `machine` holds its state. */
  onRestored(meta: SnapshotMeta, machine: StateMachine): void;
  /** It has to be received again, from its beginning. */
  onFailed(meta: SnapshotMeta, error: Error): void;
}

/** Reads a committed snapshot into a fresh state machine. Used at start, too. */
export function restoreSnapshot(
  store: SnapshotStore,
  meta: SnapshotMeta,
  machine: StateMachine,
  done: (error: Error | null) => void,
): void {
  const reader = new SnapshotReader(machine.keyspace, (header) =>
    machine.restoreHeader(header, meta),
  );
  let offsetBytes = 0;
  const next = (): void => {
    store.read(meta, { offsetBytes, lengthBytes: READ_BYTES }, (error, bytes) => {
      if (error !== null) return done(error);
      try {
        reader.write(bytes);
        offsetBytes += bytes.length;
        if (offsetBytes < meta.sizeBytes && bytes.length > 0) return next();
        if (offsetBytes !== meta.sizeBytes) {
          throw new ReplicaError(
            "BAD_SNAPSHOT",
            `${offsetBytes} of ${meta.sizeBytes} bytes were there`,
          );
        }
        reader.end();
      } catch (failure) {
        return done(failure as Error);
      }
      return done(null);
    });
  };
  next();
}

export class SnapshotInstaller {
  readonly #store: SnapshotStore;
  readonly #newMachine: () => StateMachine;
  readonly #events: SnapshotInstallerEvents;
  #incoming: {
    readonly meta: SnapshotMeta;
    readonly sink: SnapshotSink;
    nextOffsetBytes: number;
    /** Its last chunk came: it is on its way to the disk and into a state machine. */
    isWhole: boolean;
  } | null = null;
  /** Whole and durable, on its way into a state machine. */
  #restoring: SnapshotMeta | null = null;

  constructor(
    store: SnapshotStore,
    newMachine: () => StateMachine,
    events: SnapshotInstallerEvents,
  ) {
    this.#store = store;
    this.#newMachine = newMachine;
    this.#events = events;
  }

  get isReceiving(): boolean {
    return this.#incoming !== null;
  }

  /** Chunks come in order (the core sees to it); one of another snapshot begins anew. */
  chunk(chunk: SnapshotChunk): void {
    let incoming = this.#incoming;
    if (
      incoming === null ||
      incoming.meta.index !== chunk.meta.index ||
      incoming.meta.term !== chunk.meta.term ||
      chunk.offsetBytes === 0
    ) {
      incoming?.sink.abort();
      if (chunk.offsetBytes !== 0) {
        // The rest of one that was given up here: ask for its beginning.
        this.#incoming = null;
        this.#events.onStored(chunk.meta, 0);
        return;
      }
      incoming = {
        meta: chunk.meta,
        sink: this.#store.create(chunk.meta),
        nextOffsetBytes: 0,
        isWhole: false,
      };
      this.#incoming = incoming;
    }
    if (chunk.offsetBytes !== incoming.nextOffsetBytes) {
      this.#events.onStored(incoming.meta, incoming.nextOffsetBytes);
      return;
    }
    const current = incoming;
    current.isWhole = chunk.done;
    current.nextOffsetBytes += chunk.data.length;
    const endOffsetBytes = current.nextOffsetBytes;
    current.sink.write(chunk.data, (error) => {
      if (this.#incoming !== current) return;
      if (error !== null) this.#fail(current, error);
      else if (!chunk.done) this.#events.onStored(current.meta, endOffsetBytes);
    });
    if (chunk.done) this.#commit(current);
  }

  /**
   * Gives up what is half received once the log has brought this node as far: its leader is gone, or has no need to send
   * the rest. As long as something is being received no snapshot is taken.
   */
  caughtUp(appliedIndex: Index): void {
    const incoming = this.#incoming;
    if (incoming === null || incoming.isWhole || incoming.meta.index > appliedIndex) return;
    incoming.sink.abort();
    this.#incoming = null;
  }

  /** Gives up what is half there, received or restored. */
  cancel(): void {
    this.#incoming?.sink.abort();
    this.#incoming = null;
    this.#restoring = null;
  }

  #commit(current: { readonly meta: SnapshotMeta; readonly sink: SnapshotSink }): void {
    current.sink.commit((error) => {
      if (this.#incoming !== current) return;
      if (error !== null) return this.#fail(current, error);
      this.#incoming = null;
      return this.#restore(current.meta);
    });
  }

  #restore(meta: SnapshotMeta): void {
    this.#restoring = meta;
    const machine = this.#newMachine();
    restoreSnapshot(this.#store, meta, machine, (failure) => {
      // The node stops: nothing may be put in the place of anything any more.
      if (this.#restoring !== meta) return;
      this.#restoring = null;
      if (failure === null) this.#events.onRestored(meta, machine);
      else this.#events.onFailed(meta, failure);
    });
  }

  #fail(failed: { readonly meta: SnapshotMeta; readonly sink: SnapshotSink }, error: Error): void {
    failed.sink.abort();
    this.#incoming = null;
    this.#events.onFailed(failed.meta, error);
  }
}
