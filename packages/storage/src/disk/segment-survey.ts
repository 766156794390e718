/**
 * Goes through all segments of a damaged log and tells what is whole in them, in the order it was written, and where
 * something is missing between. What it reports it has checked: header, body and tag of a record, its place, its
 * sequence. A gap stands for any number of records that are lost.
 */
import { namesIn } from "./directory-names.ts";
import { StorageError, damaged } from "./errors.ts";
import type { StorageErrorCode, StorageErrorPlace } from "./errors.ts";
import type { FileSystem } from "./file-system.ts";
import type { LogOptions } from "./log-options.ts";
import type { Damage } from "./log-survey.ts";
import { RecordOpener } from "./record-cipher.ts";
import {
  bodyChecksumFits,
  isKnownRecord,
  readRecordHeader,
  recordAlignmentBytes,
  recordExtentBytes,
  recordHeaderBytes,
} from "./record-format.ts";
import type { RecordHeader } from "./record-format.ts";
import { endOfContent, isCutOffAt, isZero } from "./record-scan.ts";
import {
  decodeSegmentHeader,
  isCutSegmentHeader,
  segmentChecksumFits,
  segmentFileName,
  segmentHeaderBytes,
  segmentNumberOf,
} from "./segment-format.ts";
import type { OpenedSegmentHeader } from "./segment-format.ts";

export type SegmentFinding =
  /** A segment begins here, and its header is whole. */
  | { readonly kind: "segment"; readonly header: OpenedSegmentHeader }
  /** A whole record that is no seal; its body in the clear. */
  | {
      readonly kind: "record";
      readonly header: RecordHeader;
      readonly body: Uint8Array;
      readonly place: StorageErrorPlace;
    }
  /** Records are missing here: one whose header is whole, or any number. */
  | { readonly kind: "gap"; readonly damage: Damage; readonly header: RecordHeader | null };

type Report = (finding: SegmentFinding) => void;

/** What is wrong with a file's bytes, not with whose file it is. */
const damageCodes: readonly StorageErrorCode[] = ["damaged"];

/** The numbers of all segments. Throws `StorageError` for files that are whole and not this node's to read. */
export function surveySegments(
  fileSystem: FileSystem,
  options: LogOptions,
  report: Report,
): readonly number[] {
  const numbers = namesIn(fileSystem, options.directory)
    .map(segmentNumberOf)
    .filter((number) => number !== null);
  const files = numbers.map((number) => openFile(fileSystem, options, number));
  const live = files.slice(
    Math.max(
      0,
      files.findLastIndex((file) => file.header?.beginsAnew),
    ),
  );
  const reader = new SurveyReader(live, report);
  for (const [i, file] of live.entries()) {
    reader.read(file, live[i - 1] ?? null, live[i + 1] ?? null);
  }
  return numbers;
}

interface SegmentFile {
  readonly path: string;
  readonly number: number;
  readonly bytes: Uint8Array;
  readonly header: OpenedSegmentHeader | null;
  /** What is wrong with the header, or with the file's size; null when nothing is. */
  readonly damage: Damage | null;
}

function openFile(fileSystem: FileSystem, options: LogOptions, number: number): SegmentFile {
  const path = `${options.directory}/${segmentFileName(number)}`;
  const handle = fileSystem.open(path, "read");
  let bytes: Uint8Array;
  try {
    const all = new Uint8Array(handle.sizeBytes());
    bytes = all.subarray(0, handle.read(all, 0));
  } finally {
    handle.close();
  }
  try {
    if (bytes.length < segmentHeaderBytes) {
      throw damaged("This log segment has no header", { file: path, offsetBytes: 0 });
    }
    const sector = bytes.subarray(0, segmentHeaderBytes);
    const header = decodeSegmentHeader(sector, { ...options, file: path, number });
    const damage =
      bytes.length === header.sizeBytes
        ? null
        : {
            file: path,
            offsetBytes: Math.min(bytes.length, header.sizeBytes),
            reason: `the segment has ${bytes.length} bytes, its header says ${header.sizeBytes}`,
          };
    return { path, number, bytes, header, damage };
  } catch (error) {
    if (!(error instanceof StorageError) || !damageCodes.includes(error.code)) {
      throw error;
    }
    const damage = { file: path, offsetBytes: 0, reason: "the segment's header can not be read" };
    return { path, number, bytes, header: null, damage };
  }
}

class SurveyReader {
  readonly #report: Report;
  /** Of all segments: a record that was written to the wrong place bears the salt of its own. */
  readonly #salts: readonly number[];
  /** Sequence of the last record that was read; null when that is not known. */
  #sequence: number | null = null;
  /** The last segment ended with a seal. */
  #sealed = false;
  /** The highest sequence of a record that was found where it does not belong. */
  #straySequence = 0;

  constructor(files: readonly SegmentFile[], report: Report) {
    this.#report = report;
    this.#salts = [
      ...new Set(files.flatMap(({ header }) => (header === null ? [] : [header.salt]))),
    ];
  }

  read(file: SegmentFile, before: SegmentFile | null, next: SegmentFile | null): void {
    const isLast = next === null;
    if (before !== null && file.number !== before.number + 1) {
      this.#gap(
        placeOf(file, 0),
        `log segments before ${segmentFileName(file.number)} are missing`,
      );
    }
    if (file.header === null) {
      this.#headless(file, before, isLast);
      return;
    }
    const { header } = file;
    if (before !== null && !this.#reaches(header.firstSequence)) {
      this.#gap(placeOf(file, 0), "records before this segment are missing");
    }
    this.#sequence = header.firstSequence - 1;
    this.#sealed = false;
    this.#report({ kind: "segment", header });
    this.#records(file, header, next?.header?.firstSequence ?? null);
    if (file.damage !== null) {
      this.#report({ kind: "gap", damage: file.damage, header: null });
      this.#sequence = null;
    }
    if (isLast) {
      this.#end(file);
    }
  }

  /** Reserved and never begun, or one whose header is lost. */
  #headless(file: SegmentFile, before: SegmentFile | null, isLast: boolean): void {
    const sector = file.bytes.subarray(0, segmentHeaderBytes);
    const wasNotBegun =
      isZero(sector, 0, sector.length) ||
      (sector.length === segmentHeaderBytes &&
        !segmentChecksumFits(sector) &&
        isCutSegmentHeader(sector));
    const isSpare =
      isLast && wasNotBegun && isZero(file.bytes, segmentHeaderBytes, file.bytes.length);
    if (isSpare && before !== null && !this.#sealed) {
      this.#end(before);
      return;
    }
    const damage = file.damage ?? { ...placeOf(file, 0), reason: "the segment has no header" };
    this.#report({ kind: "gap", damage, header: null });
    this.#sequence = null;
  }

  /** A segment follows the seal of the one before, which may not have been written. */
  #reaches(firstSequence: number): boolean {
    return (
      this.#sequence === firstSequence - 2 || (this.#sealed && this.#sequence === firstSequence - 1)
    );
  }

  #records(
    file: SegmentFile,
    segment: OpenedSegmentHeader,
    nextFirstSequence: number | null,
  ): void {
    const { bytes } = file;
    const opener = segment.key === null ? null : new RecordOpener(segment.key);
    let at = segmentHeaderBytes;
    while (at + recordHeaderBytes <= bytes.length && !this.#sealed) {
      const header = this.#headerAt(file, segment, at);
      const body = header === null ? null : readBody(bytes, at, header, opener);
      if (header === null || body === null) {
        if (this.#sequence !== null && this.#sequence + 2 === nextFirstSequence) {
          // All that the next segment builds on was read; what stands here can only be the seal.
          return;
        }
        const next = this.#unreadable(file, segment, { at, header });
        if (next === -1) {
          return;
        }
        at = next;
        continue;
      }
      if (this.#sequence !== null && header.sequence !== this.#sequence + 1) {
        this.#gap(placeOf(file, at), `log record ${this.#sequence + 1} is missing`);
      }
      this.#sequence = header.sequence;
      this.#sealed = header.seal;
      if (!header.seal) {
        this.#report({ kind: "record", header, body, place: placeOf(file, at) });
      }
      at += recordExtentBytes(header.bodyBytes);
    }
  }

  /** A header whose checksum fits, in its place; the body may still be wrong. */
  #headerAt(file: SegmentFile, segment: OpenedSegmentHeader, at: number): RecordHeader | null {
    const header = readRecordHeader(file.bytes, at, segment.salt);
    if (header !== null && !isKnownRecord(header)) {
      throw new StorageError(
        "unknownVersion",
        `A log record has format version ${header.version} with flags ${header.flags}, which this program does not ` +
          `know. Start the version that wrote it`,
        { place: placeOf(file, at) },
      );
    }
    const fits =
      header !== null &&
      header.position === at &&
      header.segmentNumber === segment.number % 4_294_967_296 &&
      at + recordExtentBytes(header.bodyBytes) <= file.bytes.length;
    return fits ? header : null;
  }

  /**
   * What stands at `at` is no whole record. Where the next header stands, or -1 at the end of the content; a gap is told
   * unless the end is clean or was cut off by a crash.
   */
  #unreadable(
    file: SegmentFile,
    segment: OpenedSegmentHeader,
    found: { readonly at: number; readonly header: RecordHeader | null },
  ): number {
    const { bytes } = file;
    const { at, header } = found;
    this.#noteStrays(bytes, at);
    const from =
      header === null ? at + recordAlignmentBytes : at + recordExtentBytes(header.bodyBytes);
    for (let next = from; next + recordHeaderBytes <= bytes.length; next += recordAlignmentBytes) {
      if (this.#headerAt(file, segment, next) !== null) {
        const isAlone = next === from;
        this.#gap(
          placeOf(file, at),
          "a log record does not match its checksum",
          isAlone ? header : null,
        );
        this.#sequence = isAlone ? (header?.sequence ?? null) : null;
        return next;
      }
    }
    const end = endOfContent(bytes, at);
    if (end !== at && !isCutOffAt(bytes, at, header)) {
      const isAlone = end <= from;
      this.#gap(
        placeOf(file, at),
        "the last log record does not match its checksum",
        isAlone ? header : null,
      );
      this.#sequence = isAlone ? (header?.sequence ?? null) : null;
    }
    return -1;
  }

  #noteStrays(bytes: Uint8Array, from: number): void {
    const end = endOfContent(bytes, from);
    for (let at = from; at + recordHeaderBytes <= end; at += recordAlignmentBytes) {
      for (const salt of this.#salts) {
        const sequence = readRecordHeader(bytes, at, salt)?.sequence ?? 0;
        this.#straySequence = Math.max(this.#straySequence, sequence);
      }
    }
  }

  /** Behind the last segment nothing may be missing. */
  #end(file: SegmentFile): void {
    if (this.#sealed) {
      this.#gap(placeOf(file, 0), `log segment ${segmentFileName(file.number + 1)} is missing`);
    } else if (this.#sequence !== null && this.#straySequence > this.#sequence) {
      this.#gap(placeOf(file, 0), `log record ${this.#straySequence} was written to a wrong place`);
    }
  }

  #gap(place: StorageErrorPlace, reason: string, header: RecordHeader | null = null): void {
    this.#report({ kind: "gap", damage: { ...place, reason }, header });
  }
}

function placeOf(file: SegmentFile, offsetBytes: number): StorageErrorPlace {
  return { file: file.path, offsetBytes };
}

/** Null when the body is not what was written. */
function readBody(
  bytes: Uint8Array,
  at: number,
  header: RecordHeader,
  opener: RecordOpener | null,
): Uint8Array | null {
  if (!bodyChecksumFits(bytes, at, header) || header.encrypted !== (opener !== null)) {
    return null;
  }
  const bodyAt = at + recordHeaderBytes;
  const stored = bytes.subarray(bodyAt, bodyAt + header.bodyBytes);
  return opener === null ? stored : opener.open(bytes.subarray(at, bodyAt), stored);
}
