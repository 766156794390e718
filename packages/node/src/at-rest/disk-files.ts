/** What rewriting needs of the disk below a node (node-disk.ts). */
import type { AtRestKeys } from "@ferrite/storage";
import type { AtRestStatus, FileCount } from "./at-rest-view.ts";

/** A file that holds users' data. */
export interface DiskFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly encrypted: boolean;
  /** Node keys that its data key is wrapped with: two while it is wrapped anew. */
  readonly nodeKeyIds: readonly number[];
}

export interface DiskFiles {
  /** What begins from now on is made with the newest key. */
  useKeys(keys: AtRestKeys): void;
  /** Resolves once the log goes on in a new segment. */
  roll(): Promise<void>;
  /** All of them, those that are being written too. Throws the system's errors. */
  list(): readonly DiskFile[];
  /** Something is still being written that was begun before the last `useKeys`, and may not be in the list yet. */
  hasEarlierWork(): boolean;
  /** Wraps the data keys of encrypted files anew; their contents stay. Rejects with what the first failure was. */
  rewrap(files: readonly DiskFile[], keys: AtRestKeys): Promise<void>;
  /**
   * Has what is not encrypted written again, as far as that is possible now: a snapshot, after which the log and the
   * snapshots before it go. Returns before that is done, and is called until nothing is left.
   */
  renew(plain: readonly DiskFile[]): void;
}

/** Whether a file opens with the current node key, and with no other. */
export function isCurrent(file: DiskFile, currentKeyId: number): boolean {
  return file.encrypted && file.nodeKeyIds.length === 1 && file.nodeKeyIds[0] === currentKeyId;
}

export function countFiles(
  files: readonly DiskFile[],
  currentKeyId: number,
): Pick<AtRestStatus, "encrypted" | "outdated" | "plain"> {
  const count = (matches: (file: DiskFile) => boolean): FileCount => {
    const found = files.filter(matches);
    return { files: found.length, bytes: found.reduce((sum, file) => sum + file.sizeBytes, 0) };
  };
  return {
    encrypted: count((file) => isCurrent(file, currentKeyId)),
    outdated: count((file) => file.encrypted && !isCurrent(file, currentKeyId)),
    plain: count((file) => !file.encrypted),
  };
}
