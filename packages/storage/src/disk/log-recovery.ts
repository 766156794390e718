/**
 * Reads a log directory at boot: checks every segment, assembles the entries behind the newest snapshot, finds where
 * writing goes on. It changes nothing; `SegmentedLog.open` carries out what it says (cut a torn tail, remove void
 * segments), after all was found right.
 */
import type { Entry, HardState, Index, Term } from "@ferrite/raft";
import type { SegmentEnd } from "./active-segment.ts";
import { StorageError, damaged } from "./errors.ts";
import type { StorageErrorPlace } from "./errors.ts";
import type { FileSystem } from "./file-system.ts";
import { lastTermOf, readEntries } from "./entry-codec.ts";
import { decodeHardState } from "./hard-state-codec.ts";
import type { LogOptions } from "./log-options.ts";
import { endOfContent, isZero, scanRecords } from "./record-scan.ts";
import type { RecordHeader } from "./record-format.ts";
import {
  decodeSegmentHeader,
  isCutSegmentHeader,
  segmentChecksumFits,
  segmentFileName,
  segmentHeaderBytes,
  segmentNumberOf,
} from "./segment-format.ts";
import type { OpenedSegmentHeader } from "./segment-format.ts";

/** One segment that stays. */
export interface KnownSegment {
  readonly number: number;
  /** The highest index that any of its records holds (or the index before it). */
  readonly lastIndex: Index;
}

/** Everything a `SegmentedLog` needs to go on writing. Plain data: it travels to the log's worker thread. */
export interface LogPosition {
  /** Oldest first; the last one is being written. */
  readonly segments: readonly KnownSegment[];
  readonly active: SegmentEnd;
  readonly lastIndex: Index;
  readonly lastTerm: Term;
  readonly hardState: HardState | null;
}

export interface Recovery {
  /** Null when there is no segment with a header: a new log. */
  readonly position: LogPosition | null;
  readonly entries: readonly Entry[];
  readonly tornTailBytes: number;
  /** The log ends before the snapshot, or holds another history: it has to begin anew behind the snapshot. */
  readonly mustBeginAnew: boolean;
  /** Segments from before the log began anew. */
  readonly voidSegments: readonly number[];
  /** The next segment, reserved but not begun. */
  readonly spare: { readonly number: number; readonly headerTorn: boolean } | null;
}

interface Loaded {
  readonly file: string;
  readonly number: number;
  readonly bytes: Uint8Array;
}

/** Throws `StorageError` when the log is damaged, foreign or of an unknown version. Reads only. */
export function recoverLog(fileSystem: FileSystem, options: LogOptions): Recovery {
  const numbers = fileSystem
    .list(options.directory)
    .map(segmentNumberOf)
    .filter((number) => number !== null);
  const spare = findSpare(fileSystem, options, numbers);
  const begun = spare === null ? numbers : numbers.slice(0, -1);
  if (begun.length === 0) {
    checkNewLog(options, spare);
    return {
      position: null,
      entries: [],
      tornTailBytes: 0,
      mustBeginAnew: false,
      voidSegments: [],
      spare,
    };
  }
  return new LogReader(fileSystem, options, spare).read(begun);
}

function pathOf(options: LogOptions, number: number): string {
  return `${options.directory}/${segmentFileName(number)}`;
}

function load(fileSystem: FileSystem, options: LogOptions, number: number): Loaded {
  const file = pathOf(options, number);
  const handle = fileSystem.open(file, "read");
  try {
    const bytes = new Uint8Array(handle.sizeBytes());
    const count = handle.read(bytes, 0);
    return { file, number, bytes: bytes.subarray(0, count) };
  } finally {
    handle.close();
  }
}

/** The first sector of a file, or what there is of it. */
function readStart(fileSystem: FileSystem, file: string): Uint8Array {
  const handle = fileSystem.open(file, "read");
  try {
    const bytes = new Uint8Array(segmentHeaderBytes);
    return bytes.subarray(0, handle.read(bytes, 0));
  } finally {
    handle.close();
  }
}

/** A log that has a snapshot can not be new: an empty directory has lost votes and acknowledged entries. */
function checkNewLog(options: LogOptions, spare: Recovery["spare"]): void {
  if (spare !== null && spare.number !== 1) {
    throw new StorageError(
      "segmentMissing",
      `Log segment ${segmentFileName(spare.number - 1)} is missing in ${options.directory}, the one reserved behind ` +
        `it is there. Put the file back; nothing was changed`,
    );
  }
  const after = options.after?.index ?? 0;
  if (after > 0) {
    throw new StorageError(
      "segmentMissing",
      `There is a snapshot up to index ${after} but no log in ${options.directory}: this node's votes and entries ` +
        `are lost. Restore the whole data directory from a copy, or remove the node from the cluster and let it ` +
        `join again with an empty directory`,
    );
  }
}

/** The last file is a spare when its header was never (completely) written and nothing stands behind it. */
function findSpare(
  fileSystem: FileSystem,
  options: LogOptions,
  numbers: readonly number[],
): Recovery["spare"] {
  const number = numbers.at(-1);
  if (number === undefined) {
    return null;
  }
  const file = pathOf(options, number);
  const header = readStart(fileSystem, file);
  const headerZero = isZero(header, 0, header.length);
  const headerCut =
    header.length === segmentHeaderBytes &&
    !segmentChecksumFits(header) &&
    isCutSegmentHeader(header);
  if (!headerZero && !headerCut) {
    return null;
  }
  const { bytes } = load(fileSystem, options, number);
  if (endOfContent(bytes, header.length) > header.length) {
    throw damaged("The header of this log segment is lost, but it holds records", {
      file,
      offsetBytes: 0,
    });
  }
  return { number, headerTorn: !headerZero };
}

class LogReader {
  readonly #fileSystem: FileSystem;
  readonly #options: LogOptions;
  readonly #spare: Recovery["spare"];
  readonly #afterIndex: Index;
  /** Entries behind `#afterIndex`, without gaps. */
  readonly #entries: Entry[] = [];
  readonly #segments: KnownSegment[] = [];
  #hardState: HardState | null = null;
  #lastIndex = 0;
  #lastTerm = 0;
  /** The lowest index the log holds. */
  #firstIndex = 1;
  /** Term of the entry at `#afterIndex`, null when the log does not know it. */
  #termAtAfter: Term | null = null;

  constructor(fileSystem: FileSystem, options: LogOptions, spare: Recovery["spare"]) {
    this.#fileSystem = fileSystem;
    this.#options = options;
    this.#spare = spare;
    this.#afterIndex = options.after?.index ?? 0;
  }

  read(numbers: readonly number[]): Recovery {
    const headers = numbers.map((number) => this.#readHeader(number));
    const firstLive = headers.findLastIndex((header) => header.beginsAnew);
    const live = headers.slice(Math.max(firstLive, 0));
    this.#checkNumbers(live);
    let end: ReturnType<typeof scanRecords> | null = null;
    for (const [i, header] of live.entries()) {
      const next = live[i + 1] ?? null;
      end = this.#readSegment(header, next, end?.previousChecksum ?? null);
    }
    const active = live.at(-1)!;
    if (end!.sealed) {
      throw new StorageError(
        "segmentMissing",
        `Log segment ${segmentFileName(active.number + 1)} is missing in ${this.#options.directory}: the segment ` +
          `before it says that the log goes on there. Put the file back`,
      );
    }
    this.#checkGap(live[0]);
    const mustBeginAnew = this.#isBehindSnapshot();
    return {
      position: {
        segments: this.#segments,
        active: {
          number: active.number,
          sizeBytes: active.sizeBytes,
          salt: active.salt,
          endBytes: end!.endBytes,
          sequence: end!.sequence,
          previousChecksum: end!.previousChecksum ?? 0,
          key: active.key,
        },
        lastIndex: this.#lastIndex,
        lastTerm: this.#lastTerm,
        hardState: this.#hardState,
      },
      entries: mustBeginAnew ? [] : this.#entries,
      tornTailBytes: end!.tornBytes,
      mustBeginAnew,
      voidSegments: numbers.slice(0, Math.max(firstLive, 0)),
      spare: this.#spare,
    };
  }

  #readHeader(number: number): OpenedSegmentHeader {
    const file = pathOf(this.#options, number);
    const handle = this.#fileSystem.open(file, "read");
    try {
      const bytes = new Uint8Array(segmentHeaderBytes);
      handle.read(bytes, 0);
      const header = decodeSegmentHeader(bytes, { ...this.#options, file, number });
      if (handle.sizeBytes() !== header.sizeBytes) {
        throw damaged(
          `This log segment has ${handle.sizeBytes()} bytes, its header says ${header.sizeBytes}`,
          { file, offsetBytes: Math.min(handle.sizeBytes(), header.sizeBytes) },
        );
      }
      return header;
    } finally {
      handle.close();
    }
  }

  #checkNumbers(live: readonly OpenedSegmentHeader[]): void {
    const first = live[0].number;
    const expected = live.map((_, i) => first + i);
    if (this.#spare !== null) {
      expected.push(first + live.length);
    }
    const found = live.map((header) => header.number);
    if (this.#spare !== null) {
      found.push(this.#spare.number);
    }
    const missing = expected.find((number, i) => found[i] !== number);
    if (missing !== undefined) {
      throw new StorageError(
        "segmentMissing",
        `Log segment ${segmentFileName(missing)} is missing in ${this.#options.directory}, later ones are there. ` +
          `Put the file back; nothing was changed`,
      );
    }
  }

  #readSegment(
    header: OpenedSegmentHeader,
    next: OpenedSegmentHeader | null,
    previousChecksum: number | null,
  ): ReturnType<typeof scanRecords> {
    const { file, bytes } = load(this.#fileSystem, this.#options, header.number);
    this.#beginSegment(header, { file, offsetBytes: 0 });
    let highest = header.baseIndex;
    const context = {
      file,
      header,
      previousChecksum,
      // Between the last record and the next segment's first is the seal, which has a sequence too.
      lastSequence: next === null ? null : next.firstSequence - 2,
    };
    const end = scanRecords(bytes, context, (record, body, bodyAt) => {
      this.#takeRecord(record, body, { file, offsetBytes: bodyAt });
      highest = Math.max(highest, this.#lastIndex);
    });
    this.#segments.push({ number: header.number, lastIndex: highest });
    return end;
  }

  #beginSegment(header: OpenedSegmentHeader, place: StorageErrorPlace): void {
    if (this.#segments.length === 0) {
      this.#lastIndex = header.baseIndex;
      this.#lastTerm = header.baseTerm;
      this.#firstIndex = header.baseIndex + 1;
      this.#termAtAfter = header.baseIndex === this.#afterIndex ? header.baseTerm : null;
    } else if (this.#lastIndex !== header.baseIndex) {
      throw damaged(
        `This log segment follows index ${header.baseIndex}, the one before it ends at ${this.#lastIndex}`,
        place,
      );
    }
    this.#hardState = header.hardState ?? this.#hardState;
  }

  #takeRecord(record: RecordHeader, body: Uint8Array, place: StorageErrorPlace): void {
    const entriesEnd = body.length - record.hardStateBytes;
    const hardState = entriesEnd < 0 ? undefined : decodeHardState(body.subarray(entriesEnd));
    if (hardState === undefined) {
      throw damaged("The hard state of a log record can not be read", place);
    }
    this.#hardState = hardState ?? this.#hardState;
    const entries = body.subarray(0, entriesEnd);
    const lastTerm = lastTermOf(entries, record.entryCount);
    if (lastTerm === -1 && entries.length + record.entryCount > 0) {
      throw damaged("The entries of a log record can not be told apart", place);
    }
    if (record.entryCount === 0) {
      return;
    }
    if (record.firstIndex < 1 || record.firstIndex > this.#lastIndex + 1) {
      throw damaged(
        `A log record begins at index ${record.firstIndex}, the log before it ends at ${this.#lastIndex}`,
        place,
      );
    }
    this.#keepEntries(entries, record);
    this.#lastIndex = record.firstIndex + record.entryCount - 1;
    this.#lastTerm = lastTerm;
  }

  /** Entries at or behind the record's first index that were read before were overwritten by it. */
  #keepEntries(entries: Uint8Array, record: RecordHeader): void {
    const first = record.firstIndex;
    this.#firstIndex = Math.min(this.#firstIndex, first);
    this.#entries.length = Math.max(0, first - this.#afterIndex - 1);
    if (first <= this.#afterIndex) {
      this.#termAtAfter = null;
    }
    // A copy per record: views of the whole segment would keep all of it in memory as long as one entry lives.
    // What was decrypted is a copy already.
    const copy = record.encrypted ? entries : entries.slice();
    readEntries(copy, { index: first, count: record.entryCount }, (entry) => {
      if (entry.index > this.#afterIndex) {
        this.#entries.push(entry);
      } else if (entry.index === this.#afterIndex) {
        this.#termAtAfter = entry.term;
      }
    });
  }

  /** R10: the log must continue the snapshot; entries between them that are on no disk were acknowledged once. */
  #checkGap(first: OpenedSegmentHeader): void {
    if (this.#firstIndex > this.#afterIndex + 1) {
      throw new StorageError(
        "logGap",
        `The newest snapshot ends at index ${this.#afterIndex}, the log begins at index ${this.#firstIndex}: entries ` +
          `between them are missing, probably because a snapshot file was removed. Put it back; nothing was changed`,
        { place: { file: pathOf(this.#options, first.number), offsetBytes: 0 } },
      );
    }
  }

  /**
   * A snapshot may be ahead of the log: the node crashed between installing one and `reset`, or applied what a
   * majority had durable before its own disk did. A log with another term at the snapshot's index holds what was
   * never committed.
   */
  #isBehindSnapshot(): boolean {
    if (this.#lastIndex < this.#afterIndex) {
      return true;
    }
    const after = this.#options.after;
    return after !== undefined && this.#termAtAfter !== null && this.#termAtAfter !== after.term;
  }
}
