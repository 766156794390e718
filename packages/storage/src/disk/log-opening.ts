/** Carries out what recovery found: makes a new log, cuts a torn tail, removes what is void. */
import type { Index, Term } from "@ferrite/raft";
import { ActiveSegment } from "./active-segment.ts";
import { makeEnvelope } from "./file-envelope.ts";
import type { FileEnvelope } from "./file-envelope.ts";
import type { AtRestKeys } from "./at-rest-keys.ts";
import { StorageError, damaged } from "./errors.ts";
import type { FileSystem } from "./file-system.ts";
import { segmentBytesOf, voteFileOptions } from "./log-options.ts";
import type { LogOptions, LogRandom } from "./log-options.ts";
import { recoverLog } from "./log-recovery.ts";
import type { LogPosition, Recovery } from "./log-recovery.ts";
import type { RecoveredLog } from "./ports.ts";
import type { RandomBytes } from "./random-bytes.ts";
import { segmentFileName, segmentHeaderBytes, segmentIdentity } from "./segment-format.ts";
import { SegmentReserve } from "./segment-reserve.ts";
import { VoteFile, laterVote, readVotes } from "./vote-file.ts";

export interface OpenedLog {
  readonly position: LogPosition;
  readonly recovered: RecoveredLog;
  /** Where the log has to begin anew before it is used, because the snapshot is ahead of it; else null. */
  readonly beginAnewAt: { readonly index: Index; readonly term: Term } | null;
}

/** Zeros are written in pieces of this size when a torn tail is cut. */
const zeroPieceBytes: number = 1024 * 1024;

/** Throws `StorageError`; files are changed only after all of them were found right. */
export function openLogDirectory(
  fileSystem: FileSystem,
  options: LogOptions,
  random: LogRandom,
): OpenedLog {
  const segmentBytes = segmentBytesOf(options);
  fileSystem.makeDirectory(options.directory);
  const recovery = recoverLog(fileSystem, options);
  const { spare } = recovery;
  const position = withVote(fileSystem, options, recovery.position);
  if (spare !== null && spare.headerTorn) {
    overwriteWithZeros(fileSystem, `${options.directory}/${segmentFileName(spare.number)}`, {
      startBytes: 0,
      endBytes: segmentHeaderBytes,
    });
  }
  if (position === null) {
    const first = makeFirstSegment(fileSystem, options, { segmentBytes, random });
    settleVotes(fileSystem, options, first);
    return {
      position: first,
      recovered: { hardState: null, entries: [], tornTailBytes: 0 },
      beginAnewAt: null,
    };
  }
  settleVotes(fileSystem, options, position);
  settleTail(fileSystem, options, { position, tornTailBytes: recovery.tornTailBytes });
  removeVoidSegments(fileSystem, options, recovery);
  return {
    position,
    recovered: {
      hardState: position.hardState,
      entries: recovery.entries,
      tornTailBytes: recovery.tornTailBytes,
    },
    beginAnewAt: recovery.mustBeginAnew ? (options.after ?? null) : null,
  };
}

/** The vote file may be newer than the log by one write that a crash kept from it. */
function withVote(
  fileSystem: FileSystem,
  options: LogOptions,
  position: LogPosition | null,
): LogPosition | null {
  const votes = voteFileOptions(options);
  if (votes === null) {
    return position;
  }
  const found = readVotes(fileSystem, votes);
  if (position === null) {
    if (found.vote !== null && found.vote.term > 0) {
      throw new StorageError(
        "segmentMissing",
        `${votes.path} holds a vote in term ${found.vote.term}, but there is no log in ${options.directory}: its ` +
          `entries are lost. Restore the whole data directory from a copy, or move it away and let the node join again`,
      );
    }
    return null;
  }
  const { hardState } = position;
  const vote = laterVote(hardState, found.vote);
  if (vote === undefined) {
    throw damaged(
      `In term ${hardState?.term} the log has a vote for ${hardState?.vote}, the vote file one for ${found.vote?.vote}`,
      { file: votes.path, offsetBytes: 0 },
    );
  }
  if (vote === null) {
    return position;
  }
  const { term, vote: candidate } = vote;
  return { ...position, hardState: { term, vote: candidate, commit: hardState?.commit ?? 0 } };
}

function settleVotes(fileSystem: FileSystem, options: LogOptions, position: LogPosition): void {
  const votes = voteFileOptions(options);
  if (votes !== null) {
    VoteFile.settle(fileSystem, votes, position.hardState ?? { term: 0, vote: null });
  }
}

function makeFirstSegment(
  fileSystem: FileSystem,
  options: LogOptions,
  first: { readonly segmentBytes: number; readonly random: LogRandom },
): LogPosition {
  const reserve = new SegmentReserve(fileSystem, options.directory, 1);
  try {
    let reserved = false;
    while (!reserved) {
      reserved = reserve.step(first.segmentBytes);
    }
  } catch (error) {
    reserve.close();
    throw error;
  }
  const sizeBytes = reserve.reservedBytes;
  const segment = ActiveSegment.begin(
    reserve.take(),
    {
      number: 1,
      sizeBytes,
      clusterId: options.clusterId,
      groupId: options.groupId,
      firstSequence: 1,
      baseIndex: 0,
      baseTerm: 0,
      salt: first.random.salt(),
      beginsAnew: false,
      hardState: null,
    },
    {
      previousChecksum: 0,
      envelope: segmentEnvelope(options, 1, {
        keys: options.encryption ?? null,
        randomBytes: first.random.bytes,
      }),
      randomBytes: first.random.bytes,
    },
  );
  segment.close();
  return {
    segments: [{ number: 1, lastIndex: 0 }],
    active: segment.end,
    lastIndex: 0,
    lastTerm: 0,
    hardState: null,
  };
}

/** The key of a segment that is about to begin; null when nothing is encrypted. */
export function segmentEnvelope(
  options: LogOptions,
  number: number,
  encryption: { readonly keys: AtRestKeys | null; readonly randomBytes: RandomBytes },
): FileEnvelope | null {
  const { keys, randomBytes } = encryption;
  return keys === null
    ? null
    : makeEnvelope(segmentIdentity({ ...options, number }), keys, randomBytes);
}

/**
 * Makes durable what was found, and a torn tail zeros. What was found need not be durable: after a crash of the process
 * alone, a record that was written and not synced is read back from memory, and Raft will answer for it from now on.
 * The next record must find durable zeros under it, and nothing of a cut one may ever be read again. A crash on the way
 * leaves a torn tail as before.
 */
function settleTail(
  fileSystem: FileSystem,
  options: LogOptions,
  tail: { readonly position: LogPosition; readonly tornTailBytes: number },
): void {
  const { number, endBytes } = tail.position.active;
  overwriteWithZeros(fileSystem, `${options.directory}/${segmentFileName(number)}`, {
    startBytes: endBytes,
    endBytes: endBytes + tail.tornTailBytes,
  });
}

/** Syncs the file in any case. */
function overwriteWithZeros(
  fileSystem: FileSystem,
  path: string,
  range: { readonly startBytes: number; readonly endBytes: number },
): void {
  const handle = fileSystem.open(path, "readWrite");
  try {
    for (let at = range.startBytes; at < range.endBytes; at += zeroPieceBytes) {
      handle.write(new Uint8Array(Math.min(zeroPieceBytes, range.endBytes - at)), at);
    }
    handle.sync();
  } catch (error) {
    throw new StorageError("deviceFailed", `Can not make ${path} durable`, { cause: error });
  } finally {
    handle.close();
  }
}

/** Oldest first and each made durable, so that a crash never leaves a hole between segments. */
export function removeSegment(fileSystem: FileSystem, directory: string, number: number): void {
  fileSystem.remove(`${directory}/${segmentFileName(number)}`);
  fileSystem.syncDirectory(directory);
}

function removeVoidSegments(fileSystem: FileSystem, options: LogOptions, recovery: Recovery): void {
  for (const number of recovery.voidSegments) {
    removeSegment(fileSystem, options.directory, number);
  }
}
