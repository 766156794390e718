/** The two homes of snapshots: the machine's disk, and any `FileSystem` with steps that run when somebody says so. */
import { NodeCallbackFileSystem, ScheduledFileSystem } from "./callback-file-system.ts";
import type { FileSystem } from "./file-system.ts";
import { NodeFileSystem } from "./node-file-system.ts";
import { SnapshotFiles } from "./snapshot-files.ts";
import { loadSnapshots } from "./snapshot-loading.ts";
import type { SnapshotStoreOptions } from "./snapshot-loading.ts";

/** On the machine's disk, through the thread pool. */
export class FileSnapshotStore extends SnapshotFiles {
  /** Rejects with a `StorageError` naming the file when a snapshot is damaged or foreign. */
  static async open(options: SnapshotStoreOptions): Promise<FileSnapshotStore> {
    const snapshots = loadSnapshots(new NodeFileSystem(), options);
    return new FileSnapshotStore(new NodeCallbackFileSystem(), options, snapshots);
  }
}

/** On a synchronous file system; every step of every operation is handed to `schedule`. For the simulator. */
export class FileSystemSnapshotStore extends SnapshotFiles {
  /** Throws a `StorageError` naming the file when a snapshot is damaged or foreign. */
  static open(
    fileSystem: FileSystem,
    options: SnapshotStoreOptions & { readonly schedule: (run: () => void) => void },
  ): FileSystemSnapshotStore {
    const snapshots = loadSnapshots(fileSystem, options);
    const files = new ScheduledFileSystem(fileSystem, options.schedule);
    return new FileSystemSnapshotStore(files, options, snapshots);
  }
}
