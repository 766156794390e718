/**
 * What a node keeps over a crash. Writes become durable one by one, in order, when the test says so; a crash loses
 * the ones that are still on their way.
 */
import type {
  Configuration,
  Entry,
  HardState,
  RaftOptions,
  SnapshotMeta,
} from "../../src/index.ts";

export interface DiskWrite {
  readonly hardState: HardState | null;
  readonly entries: readonly Entry[];
  readonly onDurable: () => void;
}

export class MemoryDisk {
  hardState: HardState = { term: 0, vote: null, commit: 0 };
  snapshot: SnapshotMeta;
  snapshotBytes = "";
  entries: Entry[] = [];
  #pending: DiskWrite[] = [];

  constructor(bootstrap: Configuration) {
    this.snapshot = { index: 0, term: 0, configuration: bootstrap, sizeBytes: 0 };
  }

  get pendingWrites(): number {
    return this.#pending.length;
  }

  submit(write: DiskWrite): void {
    this.#pending.push(write);
  }

  /** The oldest write is durable now. */
  completeOne(): void {
    const write = this.#pending.shift();
    if (write === undefined) {
      return;
    }
    this.#apply(write);
    write.onDurable();
  }

  completeAll(): void {
    while (this.#pending.length > 0) {
      this.completeOne();
    }
  }

  /** A received snapshot takes the place of the log, behind everything that is on its way. */
  reset(snapshot: SnapshotMeta, bytes: string): void {
    this.completeAll();
    this.snapshot = snapshot;
    this.snapshotBytes = bytes;
    this.entries = [];
  }

  /** A snapshot of the own state; the log up to it may go. */
  saveSnapshot(snapshot: SnapshotMeta, bytes: string): void {
    this.snapshot = snapshot;
    this.snapshotBytes = bytes;
    this.entries = this.entries.filter((entry) => entry.index > snapshot.index);
  }

  /** The process is gone: some of the writes on their way made it, the rest did not. */
  crash(survivingWrites: number): void {
    for (const write of this.#pending.slice(0, survivingWrites)) {
      this.#apply(write);
    }
    this.#pending = [];
  }

  restored(): RaftOptions["restored"] {
    return { hardState: this.hardState, snapshot: this.snapshot, entries: [...this.entries] };
  }

  #apply(write: DiskWrite): void {
    this.hardState = write.hardState ?? this.hardState;
    const first = write.entries[0];
    if (first === undefined) {
      return;
    }
    this.entries = this.entries.filter((entry) => entry.index < first.index);
    this.entries.push(...write.entries.filter((entry) => entry.index > this.snapshot.index));
  }
}
