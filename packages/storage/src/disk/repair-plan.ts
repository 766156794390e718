/**
 * What is to become of a damaged disk (R42, R58): how much of it is kept, what the node still owes for the rest, or that
 * nobody can say what it owes. Changes nothing. DESIGN.md has the argument why this is safe; the two questions are:
 *
 *  - *Whom has it voted for?* Known from the newest record of the log, or from the vote file. Not known: no repair.
 *  - *What has it acknowledged?* Nothing behind the end its log once had. That end is the *floor*: below it the node
 *    votes for nobody whose log is shorter. Not known: the end is taken as endless in the newest term, which is too high
 *    and therefore safe.
 */
import type { Entry, Index, LogPosition } from "@ferrite/raft";
import type { StorageError } from "./errors.ts";
import type { FileSystem } from "./file-system.ts";
import { voteFileOptions } from "./log-options.ts";
import type { LogOptions } from "./log-options.ts";
import { surveyLog } from "./log-survey.ts";
import type { Damage, LogSurvey, Run } from "./log-survey.ts";
import { readRepairNote } from "./repair-note.ts";
import type { SnapshotStoreOptions } from "./snapshot-loading.ts";
import { withinOneSegment } from "./repaired-segment.ts";
import type { KeptLog } from "./repaired-segment.ts";
import { surveySnapshots } from "./snapshot-survey.ts";
import type { SnapshotSurvey } from "./snapshot-survey.ts";
import { laterVote, readVotes } from "./vote-file.ts";
import type { Vote } from "./vote-slot-format.ts";

/** Where the parts of one group's disk are. `log.after` is not looked at. */
export interface RepairPlaces {
  readonly log: LogOptions;
  readonly snapshots: SnapshotStoreOptions;
  /** Path of the note about a repair (repair-note.ts). */
  readonly notePath: string;
}

/** Nothing is known of the index, so it is taken as higher than any. */
export const endlessIndex: Index = Number.MAX_SAFE_INTEGER;

export interface RepairPlan {
  readonly damages: readonly Damage[];
  /** Segments there are now, oldest first. */
  readonly segments: readonly number[];
  readonly damagedSnapshots: readonly string[];
  /** Null: nobody can say what this node has promised. It must not go on under its id. */
  readonly kept: KeptLog | null;
  /** Where the log ended before; null when nothing that was acknowledged is missing. */
  readonly floor: LogPosition | null;
}

/** `cause`: what the opening was refused with. Throws `StorageError` for what is no damage. */
export function planRepair(
  fileSystem: FileSystem,
  places: RepairPlaces,
  cause: StorageError,
): RepairPlan {
  const snapshots = surveySnapshots(fileSystem, places.snapshots);
  const after = snapshots.newest ?? { index: 0, term: 0 };
  const log = surveyLog(fileSystem, { ...places.log, after });
  const found = [...snapshots.damages, ...log.damages];
  const damages = found.length > 0 ? found : [damageOf(cause, places)];
  const plan = { damages, segments: log.segments, damagedSnapshots: snapshots.damagedNames };
  const vote = certainVote(fileSystem, places.log, log);
  // What the survey does not see and the opening refuses is not understood: nothing is known for certain then.
  const isExplained = found.length > 0 || log.run === null;
  if (vote === null || !isExplained) {
    return { ...plan, kept: null, floor: null };
  }
  const floor = floorOf({ log, snapshots, after, term: vote.term });
  const owed = owedFloor(fileSystem, places.notePath, vote.term);
  const kept = keep(log, { after, vote, floor });
  const fitting = withinOneSegment(kept);
  const left = fitting.entries.length < kept.entries.length ? (kept.entries.at(-1) ?? null) : null;
  return {
    ...plan,
    kept: fitting,
    floor: furthest(furthest(floor, left && positionOf(left)), owed),
  };
}

function positionOf({ index, term }: LogPosition): LogPosition {
  return { index, term };
}

/**
 * For a state that can not be trusted although every byte is as it was written (R32): nothing that was applied is kept,
 * what was voted for and acknowledged stays. `damage` says what is wrong.
 */
export function planAnew(fileSystem: FileSystem, places: RepairPlaces, damage: Damage): RepairPlan {
  const snapshots = surveySnapshots(fileSystem, places.snapshots);
  const after = snapshots.newest ?? { index: 0, term: 0 };
  const log = surveyLog(fileSystem, { ...places.log, after });
  const vote = certainVote(fileSystem, places.log, log);
  const damages = [damage, ...snapshots.damages, ...log.damages];
  const plan = { damages, segments: log.segments, damagedSnapshots: snapshots.names };
  if (vote === null) {
    return { ...plan, kept: null, floor: null };
  }
  const end = { index: log.last.index ?? endlessIndex, term: log.last.term ?? vote.term };
  const owed = owedFloor(fileSystem, places.notePath, vote.term);
  const floor = furthest(furthest(end, snapshots.furthest), owed);
  const nothing = { index: 0, term: 0 };
  const empty: LogSurvey = { ...log, run: null };
  return { ...plan, kept: keep(empty, { after: nothing, vote, floor }), floor };
}

function damageOf(cause: StorageError, places: RepairPlaces): Damage {
  return {
    file: cause.file ?? places.log.directory,
    offsetBytes: cause.offsetBytes ?? 0,
    reason: cause.message,
  };
}

/**
 * Null when it is not certain. The vote file is never older than the log and right by itself; the newest record of the
 * log is as long as it can be read.
 */
function certainVote(fileSystem: FileSystem, options: LogOptions, log: LogSurvey): Vote | null {
  const votes = voteFileOptions(options);
  const file = votes === null ? null : readVotes(fileSystem, votes);
  const { hardState } = log;
  const logVote = hardState === undefined ? null : (hardState ?? { term: 0, vote: null });
  return laterVote(logVote, file?.vote ?? null) ?? null;
}

/** Null when nothing is missing that was acknowledged. */
function floorOf(found: {
  readonly log: LogSurvey;
  readonly snapshots: SnapshotSurvey;
  readonly after: LogPosition;
  readonly term: number;
}): LogPosition | null {
  const { log, snapshots, after, term } = found;
  const lostSnapshot = isBehind(after, snapshots.furthest) ? snapshots.furthest : null;
  if (log.isWhole) {
    // A log that reaches back to an older snapshot, or to the beginning, says all that the lost one said.
    const end = furthest(after, log.run?.last ?? null) ?? after;
    return isBehind(end, lostSnapshot) ? lostSnapshot : null;
  }
  const end = { index: log.last.index ?? endlessIndex, term: log.last.term ?? term };
  return furthest(end, lostSnapshot);
}

/** Of an earlier repair that is not over. One whose note can not be read may have owed anything. */
function owedFloor(fileSystem: FileSystem, notePath: string, term: number): LogPosition | null {
  const note = readRepairNote(fileSystem, notePath);
  return note === "damaged" ? { index: endlessIndex, term } : (note?.floor ?? null);
}

function isBehind(position: LogPosition, other: LogPosition | null): boolean {
  return (
    other !== null &&
    (position.term < other.term || (position.term === other.term && position.index < other.index))
  );
}

function furthest(a: LogPosition | null, b: LogPosition | null): LogPosition | null {
  return a === null || isBehind(a, b) ? b : a;
}

function keep(
  log: LogSurvey,
  known: { readonly after: LogPosition; readonly vote: Vote; readonly floor: LogPosition | null },
): KeptLog {
  const { after, vote, floor } = known;
  const entries = log.run === null ? [] : keptEntries(log.run, log, known);
  // No vote was given in a term that is known from a snapshot only: its log record never became durable.
  const term = Math.max(vote.term, after.term, floor?.term ?? 0);
  return {
    after,
    entries,
    hardState: {
      term,
      vote: term === vote.term ? vote.vote : null,
      // It may be beyond what is kept: a floor that gets lost is noticed by it, as lost entries are.
      commit: log.hardState?.commit ?? log.run?.commit ?? 0,
    },
  };
}

/**
 * Only entries that the log still had at its end: a lost record may have cut some of the run and written others. It can
 * have done so only with entries of a later term, so a run that ends in the last term there was is kept as it is; of
 * any other what was known to be committed.
 */
function keptEntries(
  run: Run,
  log: LogSurvey,
  known: { readonly after: LogPosition; readonly vote: Vote },
): readonly Entry[] {
  const { after, vote } = known;
  if (run.last.index < after.index || run.contradictsSnapshot) {
    return [];
  }
  const lastTerm = log.last.term ?? vote.term;
  const isSettled = log.isWhole || run.last.term === lastTerm;
  return isSettled ? run.entries : run.entries.filter((entry) => entry.index <= run.commit);
}
