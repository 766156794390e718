/**
 * Opens log and snapshots of a simulated node, and repairs its disk first where that is damaged: the steps of production
 * (packages/node/src/repair/group-disk.ts), which waits with promises for the thread that writes the log.
 */
import { TrackedSnapshots } from "@ferrite/node/simulation";
import type { LogPosition, SnapshotMeta } from "@ferrite/raft";
import {
  carryOutRepair,
  endRepair,
  FileSystemSnapshotStore,
  isDamage,
  openRepair,
  planRepair,
  renewNote,
  SegmentedLog,
  StorageError,
  type RepairPlaces,
  type SnapshotStoreOptions,
} from "@ferrite/storage";
import type { VirtualDisk } from "./virtual-disk.ts";

export interface OpenedDisk {
  readonly snapshots: TrackedSnapshots;
  readonly snapshot: SnapshotMeta | null;
  readonly log: SegmentedLog;
  readonly recovered: ReturnType<typeof SegmentedLog.open>["recovered"];
  /** Where the log ended before it was damaged; null: it is whole. */
  readonly floor: LogPosition | null;
  /** A repair is not over. */
  readonly isRepairing: boolean;
}

export interface DiskOpening {
  readonly disk: VirtualDisk;
  readonly places: RepairPlaces & {
    readonly snapshots: SnapshotStoreOptions & { readonly schedule: (run: () => void) => void };
  };
  /** Others have what this disk may have lost. */
  readonly hasPeers: boolean;
  readonly repaired: (what: string) => void;
}

/** Nobody can say what this node has voted for: under its id it must not go on. */
export class PastUnknown extends Error {}

/** @throws PastUnknown, StorageError, what the disk says */
export function openDisk(opening: DiskOpening): OpenedDisk {
  const { disk, places } = opening;
  openRepair(disk, places);
  const opened = openOrRepair(opening);
  const open = openRepair(disk, places);
  if (open === null) return { ...opened, floor: null, isRepairing: false };
  const floor =
    open.floor === "lost"
      ? renewNote(disk, places, opened.recovered.hardState?.term ?? 0)
      : open.floor;
  return { ...opened, floor, isRepairing: true };
}

/** The log is as far again as it was. */
export function repairIsOver(disk: VirtualDisk, places: RepairPlaces): void {
  endRepair(disk, places);
}

function openOrRepair(opening: DiskOpening): Omit<OpenedDisk, "floor" | "isRepairing"> {
  try {
    return openBoth(opening);
  } catch (error) {
    if (!(error instanceof StorageError) || !isDamage(error)) throw error;
    repair(opening, error);
    return openBoth(opening);
  }
}

function openBoth({ disk, places }: DiskOpening): Omit<OpenedDisk, "floor" | "isRepairing"> {
  const snapshots = new TrackedSnapshots(FileSystemSnapshotStore.open(disk, places.snapshots));
  const snapshot = snapshots.latest();
  const after = { index: snapshot?.index ?? 0, term: snapshot?.term ?? 0 };
  const { log, recovered } = SegmentedLog.open(disk, { ...places.log, after });
  return { snapshots, snapshot, log, recovered };
}

function repair({ disk, places, hasPeers, repaired }: DiskOpening, cause: StorageError): void {
  const plan = planRepair(disk, places, cause);
  const { kept, floor } = plan;
  if (!hasPeers && (kept === null || floor !== null)) throw cause;
  if (kept === null) throw new PastUnknown(cause.message, { cause });
  carryOutRepair(disk, places, { ...plan, kept });
  repaired(floor === null ? "damage repaired, nothing missing" : "damage repaired, with a floor");
}
