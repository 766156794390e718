/**
 * Snapshots of a node whose keys change: knows which are being written. One that began under an earlier key may not be
 * there as a file yet, and will still need that key when it is.
 */
import type { SnapshotMeta } from "@ferrite/raft";
import type { AtRestKeys, SnapshotSink, SnapshotStore } from "@ferrite/storage";

/** Snapshots that can be encrypted. */
export interface KeyedSnapshots extends SnapshotStore {
  useKeys(keys: AtRestKeys): void;
}

export class TrackedSnapshots implements SnapshotStore {
  readonly #store: KeyedSnapshots;
  readonly #open = new Set<object>();
  #earlier: ReadonlySet<object> = new Set();

  constructor(store: KeyedSnapshots) {
    this.#store = store;
  }

  useKeys(keys: AtRestKeys): void {
    this.#store.useKeys(keys);
    this.#earlier = new Set(this.#open);
  }

  /** Whether one is still being written that began before the last `useKeys`. */
  hasEarlier(): boolean {
    for (const mark of this.#earlier) if (this.#open.has(mark)) return true;
    return false;
  }

  latest(): SnapshotMeta | null {
    return this.#store.latest();
  }

  create(meta: SnapshotMeta): SnapshotSink {
    const sink = this.#store.create(meta);
    const mark = {};
    this.#open.add(mark);
    return {
      write: (bytes, onWritten) => sink.write(bytes, onWritten),
      commit: (onDurable) => {
        sink.commit((error) => {
          this.#open.delete(mark);
          onDurable(error);
        });
      },
      abort: () => {
        this.#open.delete(mark);
        sink.abort();
      },
      get writtenBytes() {
        return sink.writtenBytes;
      },
    };
  }

  read(...request: Parameters<SnapshotStore["read"]>): void {
    this.#store.read(...request);
  }

  prune(keep: number): void {
    this.#store.prune(keep);
  }
}
