/**
 * What a node keeps over a crash. Writes become durable one by one, in order, when the test says so; a crash loses
 * the ones that are still on their way.
 */
import type {
  Configuration,
  Entry,
  HardState,
  Index,
  LogPosition,
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
  /** Where the log ended before it was damaged, for as long as the core has not got that far again. */
  floor: LogPosition | null = null;
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

  /** Everything from `index` on can not be read any more; and, when it is the snapshot itself, nothing can. */
  damageFrom(index: Index, bootstrap: Configuration): void {
    const end = this.entries.at(-1) ?? this.snapshot;
    const known = this.floor;
    const further =
      known === null ||
      end.term > known.term ||
      (end.term === known.term && end.index > known.index);
    this.floor = further ? { index: end.index, term: end.term } : known;
    this.entries = this.entries.filter((entry) => entry.index < index);
    if (index <= this.snapshot.index) {
      this.snapshot = { index: 0, term: 0, configuration: bootstrap, sizeBytes: 0 };
      this.snapshotBytes = "";
      this.entries = [];
    }
  }

  restored(): RaftOptions["restored"] {
    const { hardState, snapshot, floor } = this;
    return { hardState, snapshot, entries: [...this.entries], floor };
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
