/** What a node's disk would hold, in memory; it survives the node. */
import type { Entry, HardState, SnapshotMeta } from "@ferrite/raft";
import type { LogWrite, LogWriter, SnapshotSink, SnapshotStore } from "@ferrite/storage";

export class MemoryDisk {
  /** What was handed to a disk that hangs, and what it has not answered; null while it works. */
  #held: (() => void)[] | null = null;
  hardState: HardState | null = null;
  entries: Entry[] = [];
  /** What is committed while this is false never gets durable. */
  keepsSnapshots = true;
  snapshot: { readonly meta: SnapshotMeta; readonly bytes: Buffer } | null = null;

  /** From now on nothing is written, and nothing that was written is told. */
  hang(): void {
    this.#held ??= [];
  }

  /** The disk does all that it was asked for meanwhile. */
  answerAgain(): void {
    const held = this.#held ?? [];
    this.#held = null;
    for (const run of held) run();
  }

  /** `whenDone` runs what the disk has finished. */
  log(whenDone: (run: () => void) => void): LogWriter {
    const later = (run: () => void): void => whenDone(() => this.#unlessHung(run));
    return {
      submit: (write, onDurable) => {
        this.#unlessHung(() => {
          this.#write(write);
          later(onDurable);
        });
      },
      compact: (upTo) => {
        this.entries = this.entries.filter(({ index }) => index > upTo);
      },
      reset: (_position, onDurable) => {
        this.entries = [];
        later(onDurable);
      },
      close: (onClosed) => later(onClosed),
    };
  }

  #write({ hardState, entries }: LogWrite): void {
    if (hardState !== null) this.hardState = hardState;
    if (entries.length === 0) return;
    this.entries = this.entries.filter(({ index }) => index < entries[0].index);
    this.entries.push(...entries);
  }

  #unlessHung(run: () => void): void {
    if (this.#held === null) run();
    else this.#held.push(run);
  }

  snapshots(later: (run: () => void) => void): SnapshotStore {
    return {
      latest: () => this.snapshot?.meta ?? null,
      create: (meta) => this.#sink(meta, later),
      read: (meta, { offsetBytes, lengthBytes }, onRead) => {
        const kept = this.snapshot;
        later(() => {
          if (kept?.meta.index !== meta.index) onRead(new Error("pruned"), Buffer.alloc(0));
          else onRead(null, kept.bytes.subarray(offsetBytes, offsetBytes + lengthBytes));
        });
      },
      prune: () => undefined,
    };
  }

  #sink(meta: SnapshotMeta, later: (run: () => void) => void): SnapshotSink {
    const parts: Buffer[] = [];
    return {
      writtenBytes: 0,
      write: (bytes, onWritten) => {
        parts.push(Buffer.from(bytes));
        later(() => onWritten(null));
      },
      commit: (onDurable) =>
        later(() => {
          if (!this.keepsSnapshots) return;
          const bytes = Buffer.concat(parts);
          this.snapshot = { meta: { ...meta, sizeBytes: bytes.length }, bytes };
          onDurable(null);
        }),
      abort: () => undefined,
    };
  }
}
