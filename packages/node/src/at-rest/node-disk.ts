/** Log, snapshots and sealed files of a running node, as rewriting sees them. */
import { atRestInventory, type AtRestKeys, type FileSystem } from "@ferrite/storage";
import { copySnapshot } from "./copy-snapshot.ts";
import type { DiskFile, DiskFiles } from "./disk-files.ts";
import { rewrapFiles } from "./rewrap-files.ts";
import type { TrackedSnapshots } from "./tracked-snapshots.ts";

export interface NodeDiskParts {
  readonly fileSystem: FileSystem;
  readonly dataDirectory: string;
  /** Files that this node seals: the ACL file. */
  readonly sealedFiles: readonly string[];
  readonly log: {
    useKeys(keys: AtRestKeys): void;
    roll(onRolled: () => void): void;
    compact(index: number): void;
  };
  readonly snapshots: TrackedSnapshots;
  readonly state: {
    /** The last entry of the log. */
    lastIndex(): number;
    appliedIndex(): number;
    /** Begins a snapshot of now, unless one is on its way. */
    takeSnapshot(): void;
  };
  /** A copy of a snapshot failed; it is tried again. */
  readonly onFailed: (error: Error) => void;
}

export class NodeDisk implements DiskFiles {
  readonly #parts: NodeDiskParts;
  /** The last entry that may be in a segment from before the last roll. */
  #rolledAt = 0;
  /** Of the snapshot that the log was asked to begin behind. */
  #compactedAt = 0;
  #isCopying = false;

  constructor(parts: NodeDiskParts) {
    this.#parts = parts;
  }

  useKeys(keys: AtRestKeys): void {
    this.#parts.log.useKeys(keys);
    this.#parts.snapshots.useKeys(keys);
  }

  async roll(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#parts.log.roll(resolve);
    });
    this.#rolledAt = this.#parts.state.lastIndex();
  }

  list(): readonly DiskFile[] {
    const { fileSystem, dataDirectory, sealedFiles } = this.#parts;
    const { files } = atRestInventory(fileSystem, { ...placesIn(dataDirectory), sealedFiles });
    // One that a person wrote by hand is theirs: it is read, and sealed when the node writes it the next time.
    return files.filter(({ kind, encrypted }) => kind !== "sealed" || encrypted);
  }

  hasEarlierWork(): boolean {
    return this.#parts.snapshots.hasEarlier();
  }

  async rewrap(files: readonly DiskFile[], keys: AtRestKeys): Promise<void> {
    await rewrapFiles(
      files.map(({ path }) => path),
      keys,
    );
  }

  renew(plain: readonly DiskFile[]): void {
    const { snapshots, log, state } = this.#parts;
    const latest = snapshots.latest();
    if (latest === null || latest.index < this.#rolledAt) {
      // Entries that are not agreed yet are not in a snapshot: their segment has to stay so long.
      if (state.appliedIndex() >= this.#rolledAt) state.takeSnapshot();
      return;
    }
    const { dataDirectory } = this.#parts;
    const isIn = (directory: string) => (file: DiskFile) => file.path.startsWith(`${directory}/`);
    const { logDirectory, snapshotDirectory } = placesIn(dataDirectory);
    if (this.#compactedAt === latest.index && plain.some(isIn(logDirectory))) {
      // A segment stays until a snapshot is behind all that was ever in it: entries, too, that were taken back before
      // the roll, and had higher indexes than the last one then.
      if (state.appliedIndex() > latest.index) state.takeSnapshot();
    }
    log.compact(latest.index);
    this.#compactedAt = latest.index;
    snapshots.prune(1);
    if (plain.some(isIn(snapshotDirectory)) && !this.#isCopying) void this.#copyLatest();
  }

  /** Nothing was written since the newest snapshot, so that there is no newer one to be had. */
  async #copyLatest(): Promise<void> {
    const { snapshots, onFailed } = this.#parts;
    const latest = snapshots.latest();
    if (latest === null) return;
    this.#isCopying = true;
    try {
      await copySnapshot(snapshots, latest);
    } catch (error) {
      // One that a newer one has replaced meanwhile needs no copy.
      if (snapshots.latest()?.index === latest.index) onFailed(error as Error);
    } finally {
      this.#isCopying = false;
    }
  }
}

/** Where a node keeps its log and snapshots. */
export function placesIn(dataDirectory: string): {
  readonly logDirectory: string;
  readonly snapshotDirectory: string;
} {
  return {
    logDirectory: `${dataDirectory}/log`,
    snapshotDirectory: `${dataDirectory}/snapshots`,
  };
}
