/** What a node's disk would hold, in memory; it survives the node. */
import type { Entry, HardState, SnapshotMeta } from "@ferrite/raft";
import type { LogWriter, SnapshotSink, SnapshotStore } from "@ferrite/storage";

export class MemoryDisk {
  hardState: HardState | null = null;
  entries: Entry[] = [];
  snapshot: { readonly meta: SnapshotMeta; readonly bytes: Buffer } | null = null;

  /** `later` runs what the disk has finished. */
  log(later: (run: () => void) => void): LogWriter {
    return {
      submit: ({ hardState, entries }, onDurable) => {
        if (hardState !== null) this.hardState = hardState;
        if (entries.length > 0) {
          this.entries = this.entries.filter(({ index }) => index < entries[0].index);
          this.entries.push(...entries);
        }
        later(onDurable);
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
          const bytes = Buffer.concat(parts);
          this.snapshot = { meta: { ...meta, sizeBytes: bytes.length }, bytes };
          onDurable(null);
        }),
      abort: () => undefined,
    };
  }
}
