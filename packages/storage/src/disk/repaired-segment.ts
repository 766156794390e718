/**
 * The segment with which a repaired log begins: all that is kept of the old one, behind the snapshot. One segment, so
 * that giving it its name is one step: before it the log is the old one, after it the new one.
 */
import type { Entry, HardState, LogPosition } from "@ferrite/raft";
import { ActiveSegment } from "./active-segment.ts";
import { entriesSizeBytes, writeEntries } from "./entry-codec.ts";
import type { FileSystem } from "./file-system.ts";
import { hardStateBytesMax } from "./hard-state-codec.ts";
import { segmentEnvelope } from "./log-opening.ts";
import { logRandomOf, segmentBytesOf } from "./log-options.ts";
import type { LogOptions } from "./log-options.ts";
import { RecordBuilder } from "./record-builder.ts";
import { recordExtentBytes, sealExtentBytes, storedBodyBytes } from "./record-format.ts";
import { segmentFileName, segmentHeaderBytes } from "./segment-format.ts";

/** What is kept of a damaged log. */
export interface KeptLog {
  readonly after: LogPosition;
  /** Behind `after`, without a gap. */
  readonly entries: readonly Entry[];
  readonly hardState: HardState;
}

/** The segment has at most this size; entries beyond it come from the peers again. */
export const repairedSegmentBytesMax: number = 1024 * 1024 * 1024;

/** Ends the name of a segment that is not part of the log yet. */
const unfinishedSuffix = ".new";
/** Kept entries go into records of about this size. */
const recordBytesTarget: number = 4 * 1024 * 1024;
const pageBytes = 4096;

interface Chunk {
  readonly from: number;
  readonly to: number;
  readonly sizeBytes: number;
}

/** Entries in runs of about one record each. */
function chunksOf(kept: KeptLog): Chunk[] {
  const chunks: Chunk[] = [];
  let from = 0;
  let sizeBytes = 0;
  for (const [i, entry] of kept.entries.entries()) {
    const entryBytes = entriesSizeBytes([entry]);
    if (sizeBytes > 0 && sizeBytes + entryBytes > recordBytesTarget) {
      chunks.push({ from, to: i, sizeBytes });
      from = i;
      sizeBytes = 0;
    }
    sizeBytes += entryBytes;
  }
  if (sizeBytes > 0) {
    chunks.push({ from, to: kept.entries.length, sizeBytes });
  }
  return chunks;
}

function extentBytesOf(chunk: Chunk): number {
  return recordExtentBytes(storedBodyBytes(chunk.sizeBytes + hardStateBytesMax, true));
}

/** As many of the entries as one segment takes. */
export function withinOneSegment(kept: KeptLog): KeptLog {
  let bytes = segmentHeaderBytes + sealExtentBytes;
  let count = 0;
  for (const chunk of chunksOf(kept)) {
    bytes += extentBytesOf(chunk);
    if (bytes > repairedSegmentBytesMax) {
      break;
    }
    count = chunk.to;
  }
  return { ...kept, entries: kept.entries.slice(0, count) };
}

/** Written and synced under another name first: a half-written one is never part of the log. */
export function writeRepairedSegment(
  fileSystem: FileSystem,
  log: LogOptions,
  segment: { readonly number: number; readonly kept: KeptLog },
): void {
  const { number, kept } = segment;
  const path = `${log.directory}/${segmentFileName(number)}`;
  const unfinishedPath = `${path}${unfinishedSuffix}`;
  fileSystem.makeDirectory(log.directory);
  if (fileSystem.exists(unfinishedPath)) {
    fileSystem.remove(unfinishedPath);
  }
  const active = beginSegment(fileSystem, log, { path: unfinishedPath, number, kept });
  try {
    for (const chunk of chunksOf(kept)) {
      const entries = kept.entries.slice(chunk.from, chunk.to);
      const builder = new RecordBuilder(kept.hardState);
      writeEntries(builder.reserve(chunk.sizeBytes), builder.entriesAt, entries);
      const firstIndex = entries[0].index;
      const lastTerm = entries.at(-1)!.term;
      builder.add({ firstIndex, count: entries.length, lastTerm, sizeBytes: chunk.sizeBytes });
      active.write(builder);
    }
  } finally {
    active.close();
  }
  fileSystem.rename(unfinishedPath, path);
  fileSystem.syncDirectory(log.directory);
}

function beginSegment(
  fileSystem: FileSystem,
  log: LogOptions,
  segment: { readonly path: string; readonly number: number; readonly kept: KeptLog },
): ActiveSegment {
  const { number, kept } = segment;
  const random = logRandomOf(log);
  const recordBytes = chunksOf(kept).reduce((sum, chunk) => sum + extentBytesOf(chunk), 0);
  const neededBytes = segmentHeaderBytes + recordBytes + sealExtentBytes;
  const sizeBytes = Math.max(segmentBytesOf(log), Math.ceil(neededBytes / pageBytes) * pageBytes);
  const handle = fileSystem.open(segment.path, "create");
  try {
    handle.reserve(sizeBytes);
    handle.sync();
    return ActiveSegment.begin(
      handle,
      {
        number,
        sizeBytes,
        clusterId: log.clusterId,
        groupId: log.groupId,
        firstSequence: 1,
        baseIndex: kept.after.index,
        baseTerm: kept.after.term,
        salt: random.salt(),
        beginsAnew: true,
        hardState: kept.hardState,
      },
      {
        previousChecksum: 0,
        envelope: segmentEnvelope(log, number, {
          keys: log.encryption ?? null,
          randomBytes: random.bytes,
        }),
        randomBytes: random.bytes,
      },
    );
  } catch (error) {
    handle.close();
    throw error;
  }
}
