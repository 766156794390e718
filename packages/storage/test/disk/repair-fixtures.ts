/** A disk with a history that is known, to be damaged and repaired. */
import { EntryKind, type Entry, type HardState, type LogPosition } from "@ferrite/raft";
import type { AtRestKeys } from "../../src/disk/at-rest-keys.ts";
import { carryOutRepair, isDamage, openRepair } from "../../src/disk/disk-repair.ts";
import type { OpenRepair } from "../../src/disk/disk-repair.ts";
import { StorageError } from "../../src/disk/errors.ts";
import { FileSystemSnapshotStore } from "../../src/disk/file-snapshot-store.ts";
import type { RecoveredLog } from "../../src/disk/ports.ts";
import { planRepair } from "../../src/disk/repair-plan.ts";
import type { RepairPlaces, RepairPlan } from "../../src/disk/repair-plan.ts";
import type { KeptLog } from "../../src/disk/repaired-segment.ts";
import { SegmentedLog } from "../../src/disk/segmented-log.ts";
import type { FaultFileSystem } from "./fault-file-system.ts";
import { clusterId, optionsWith } from "./log-fixtures.ts";
import type { SeededRandom } from "./seeded-random.ts";
import { metaAt } from "./snapshot-store-suite.ts";

export const snapshotDirectory = "/data/snapshots";
export const voteFile = "/data/votes";
export const notePath = "/data/repair";

export function placesWith(
  encryption: AtRestKeys | null,
  hasVotes: boolean = true,
  segmentBytes = 4096,
): RepairPlaces {
  return {
    log: optionsWith({ encryption, segmentBytes, ...(hasVotes ? { voteFile } : {}) }),
    snapshots: { directory: snapshotDirectory, clusterId, groupId: 0, encryption },
    notePath,
  };
}

/** What the log really holds, as a model. */
export interface History {
  readonly entries: Entry[];
  hardState: HardState | null;
  /** The newest snapshot. */
  after: LogPosition;
}

export interface OpenedDisk {
  readonly log: SegmentedLog;
  readonly recovered: RecoveredLog;
  readonly after: LogPosition;
}

/** Snapshots, then the log behind the newest one, as a node opens them. Throws `StorageError`. */
export function openDisk(disk: FaultFileSystem, places: RepairPlaces): OpenedDisk {
  const store = FileSystemSnapshotStore.open(disk, {
    ...places.snapshots,
    schedule: (run) => run(),
  });
  const latest = store.latest();
  const after = { index: latest?.index ?? 0, term: latest?.term ?? 0 };
  return { ...SegmentedLog.open(disk, { ...places.log, after }), after };
}

export interface Start {
  readonly opened: OpenedDisk | null;
  readonly owed: OpenRepair | null;
  readonly plan: RepairPlan | null;
}

/** A start as a node makes it: what an earlier repair has left is finished, damage is repaired. */
export function startRepairing(disk: FaultFileSystem, places: RepairPlaces): Start {
  openRepair(disk, places);
  let plan: RepairPlan | null = null;
  try {
    const opened = openDisk(disk, places);
    return { opened, owed: openRepair(disk, places), plan };
  } catch (error) {
    if (!(error instanceof StorageError) || !isDamage(error)) {
      throw error;
    }
    plan = planRepair(disk, places, error);
  }
  if (plan.kept === null) {
    return { opened: null, owed: null, plan };
  }
  carryOutRepair(disk, places, { ...plan, kept: plan.kept satisfies KeptLog });
  const opened = openDisk(disk, places);
  return { opened, owed: openRepair(disk, places), plan };
}

/** Writes a snapshot of a few blocks at a position. */
export function writeSnapshot(disk: FaultFileSystem, places: RepairPlaces, at: LogPosition): void {
  const store = FileSystemSnapshotStore.open(disk, {
    ...places.snapshots,
    schedule: (run) => run(),
  });
  const sink = store.create(metaAt(at.index, at.term));
  sink.write(new Uint8Array(3000).fill(at.index % 251), () => undefined);
  sink.commit((error) => {
    if (error !== null) {
      throw error;
    }
  });
}

const nodes = ["node-a", "node-b", "node-c"];

/**
 * Terms that rise, votes, entries, cuts of what is not committed, restarts, snapshots and compaction. Everything in it was
 * synced: a node has answered for all of it.
 */
export function liveThrough(
  disk: FaultFileSystem,
  places: RepairPlaces,
  random: SeededRandom,
): History {
  let { log } = openDisk(disk, places);
  const history: History = { entries: [], hardState: null, after: { index: 0, term: 0 } };
  let term = 0;
  let commit = 0;
  const lastIndex = (): number => history.entries.at(-1)?.index ?? 0;
  const write = (entries: Entry[], hardState: HardState | null): void => {
    log.append({ entries, hardState });
    log.sync();
    log.prepare();
    if (entries.length > 0) {
      history.entries.length = entries[0].index - 1;
      history.entries.push(...entries);
    }
    history.hardState = hardState ?? history.hardState;
  };
  for (let step = random.between(5, 40); step > 0; step -= 1) {
    if (term === 0 || random.chance(0.2)) {
      term += random.between(1, 2);
      const vote = random.chance(0.7) ? nodes[random.between(0, 2)] : null;
      write([], { term, vote, commit });
    } else if (random.chance(0.08)) {
      log.close();
      ({ log } = openDisk(disk, places));
    } else if (random.chance(0.1) && commit > history.after.index) {
      const at = history.entries[commit - 1];
      history.after = { index: at.index, term: at.term };
      writeSnapshot(disk, places, history.after);
      if (random.chance(0.7)) {
        log.compact(at.index);
      }
    } else {
      // A leader of this term overwrites what an earlier one has left, never what is committed or of its own term.
      const ownFrom = history.entries.findIndex((entry) => entry.term === term);
      const cutFrom = ownFrom === -1 ? commit + 1 : lastIndex() + 1;
      const first = random.between(Math.min(cutFrom, lastIndex() + 1), lastIndex() + 1);
      const entries = Array.from({ length: random.between(1, 4) }, (_, i) => ({
        index: first + i,
        term,
        kind: EntryKind.Normal,
        data: random.bytes(random.between(0, random.chance(0.2) ? 1500 : 200)),
      }));
      const commitMoves = random.chance(0.5);
      const vote = history.hardState!.term === term ? history.hardState!.vote : null;
      if (commitMoves) {
        commit = random.between(commit, Math.min(lastIndex(), first - 1));
      }
      write(entries, commitMoves ? { term, vote, commit } : null);
      if (random.chance(0.5)) {
        commit = random.between(commit, lastIndex());
      }
    }
  }
  log.close();
  return history;
}
