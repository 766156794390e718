/**
 * Makes a damaged disk one that can be opened (R42, R58), without deleting anything. Each step is durable before the
 * next one, and a crash anywhere leaves a disk on which the repair is begun again or finished:
 *
 *   1. the note: where the log once ended (repair-note.ts)
 *   2. the vote file: whom this node has voted for
 *   3. damaged snapshots are renamed
 *   4. a new segment with all that is kept is written beside the log and renamed into it. Its header says that
 *      everything before it is void: this is the moment at which the log is another one
 *   5. the segments before it are renamed
 *
 * The note stays until the log is as far again as it was (`endRepair`); every start in between is told what it says.
 */
import type { LogPosition, Term } from "@ferrite/raft";
import { namesIn } from "./directory-names.ts";
import type { StorageError } from "./errors.ts";
import type { FileSystem } from "./file-system.ts";
import { voteFileOptions } from "./log-options.ts";
import type { LogOptions } from "./log-options.ts";
import { nextQuarantine, pruneQuarantines, quarantineFiles } from "./quarantine.ts";
import { endlessIndex } from "./repair-plan.ts";
import type { RepairPlaces, RepairPlan } from "./repair-plan.ts";
import { writeRepairedSegment } from "./repaired-segment.ts";
import type { KeptLog } from "./repaired-segment.ts";
import { readRepairNote, writeRepairNote } from "./repair-note.ts";
import type { RepairNote } from "./repair-note.ts";
import { segmentFileName, segmentNumberOf } from "./segment-format.ts";
import { snapshotPositionOf } from "./snapshot-format.ts";
import { VoteFile } from "./vote-file.ts";

/** What is open of an earlier repair. */
export interface OpenRepair {
  /**
   * Where the log ended before the damage; the replica is to be told at every start. Null: nothing is missing. "lost": the
   * note is damaged itself; then `renewNote` is to be called once the newest term is known.
   */
  readonly floor: LogPosition | null | "lost";
  /** What was damaged; empty when the note itself was. */
  readonly damages: RepairNote["damages"];
}

function directoriesOf(places: RepairPlaces): readonly string[] {
  return [places.log.directory, places.snapshots.directory, directoryOf(places.notePath)];
}

function directoryOf(path: string): string {
  const end = path.lastIndexOf("/");
  return end <= 0 ? "/" : path.slice(0, end);
}

/** Carries out a plan that keeps something. Throws `StorageError` or the system's errors; it may be called again. */
export function carryOutRepair(
  fileSystem: FileSystem,
  places: RepairPlaces,
  plan: RepairPlan & { readonly kept: KeptLog },
): void {
  const { kept, floor, damages } = plan;
  const firstSegment = Math.max(0, ...plan.segments) + 1;
  const number = nextQuarantine(fileSystem, directoriesOf(places));
  writeRepairNote(fileSystem, places.notePath, { floor, firstSegment, number, damages });
  const votes = voteFileOptions(places.log);
  if (votes !== null) {
    VoteFile.settle(fileSystem, votes, kept.hardState);
  }
  if (plan.damagedSnapshots.length > 0) {
    const names = plan.damagedSnapshots;
    quarantineFiles(fileSystem, places.snapshots.directory, { names, number });
  }
  writeRepairedSegment(fileSystem, places.log, { number: firstSegment, kept });
  quarantineSegments(fileSystem, places.log, { firstSegment, number });
}

/**
 * To be called at every start before anything is opened: finishes a repair that a crash interrupted, and says what is
 * still owed. Null: nothing.
 */
export function openRepair(fileSystem: FileSystem, places: RepairPlaces): OpenRepair | null {
  const note = readRepairNote(fileSystem, places.notePath);
  if (note === null) {
    return null;
  }
  if (note === "damaged") {
    return { floor: "lost", damages: [] };
  }
  const first = `${places.log.directory}/${segmentFileName(note.firstSegment)}`;
  if (fileSystem.exists(first)) {
    quarantineSegments(fileSystem, places.log, note);
  }
  return { floor: note.floor, damages: note.damages };
}

/**
 * In place of a note that can not be read: the log may have ended anywhere up to the newest term, which is `term`.
 * Returns what is owed.
 */
export function renewNote(fileSystem: FileSystem, places: RepairPlaces, term: Term): LogPosition {
  const floor = { index: endlessIndex, term };
  const damage = { file: places.notePath, offsetBytes: 0, reason: "the note can not be read" };
  const number = nextQuarantine(fileSystem, directoriesOf(places));
  writeRepairNote(fileSystem, places.notePath, {
    floor,
    firstSegment: 0,
    number,
    damages: [damage],
  });
  return floor;
}

/** The log is as far again as it was: nothing is owed, and of the damaged files only the newest repairs' are kept. */
export function endRepair(fileSystem: FileSystem, places: RepairPlaces): void {
  if (fileSystem.exists(places.notePath)) {
    fileSystem.remove(places.notePath);
    fileSystem.syncDirectory(directoryOf(places.notePath));
  }
  pruneQuarantines(fileSystem, directoriesOf(places));
}

/**
 * Takes log, snapshots and votes out of use, all of them, and `otherFiles`: the disk goes on as that of a node without
 * a past.
 */
export function quarantineAll(
  fileSystem: FileSystem,
  places: RepairPlaces,
  otherFiles: readonly string[] = [],
): void {
  const number = nextQuarantine(fileSystem, directoriesOf(places));
  const { directory } = places.snapshots;
  const names = namesIn(fileSystem, directory).filter((name) => snapshotPositionOf(name) !== null);
  if (names.length > 0) {
    quarantineFiles(fileSystem, directory, { names, number });
  }
  quarantineSegments(fileSystem, places.log, { firstSegment: Infinity, number });
  for (const path of [places.log.voteFile ?? places.notePath, places.notePath, ...otherFiles]) {
    const name = path.slice(path.lastIndexOf("/") + 1);
    quarantineFiles(fileSystem, directoryOf(path), { names: [name], number });
  }
}

function quarantineSegments(
  fileSystem: FileSystem,
  log: LogOptions,
  repair: { readonly firstSegment: number; readonly number: number },
): void {
  const names = namesIn(fileSystem, log.directory).filter((name) => {
    const segment = segmentNumberOf(name);
    return segment !== null && segment < repair.firstSegment;
  });
  if (names.length > 0) {
    quarantineFiles(fileSystem, log.directory, { names, number: repair.number });
  }
}

/** Whether an error of an opening says that the disk is damaged, and not that it is somebody else's. */
export function isDamage(error: StorageError): boolean {
  return error.code === "damaged" || error.code === "segmentMissing" || error.code === "logGap";
}
