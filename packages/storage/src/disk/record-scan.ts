/**
 * Reads the records of one segment and tells three ends apart:
 *
 *  - clean: zeros behind the last record;
 *  - torn: a crash cut off the last write. It was never acknowledged, its bytes may go;
 *  - damage: bytes that had been durable are wrong. Never cut: an acknowledged entry may be among them (R58).
 *
 * How a broken record is judged. Whatever the file's later parts say comes first: a whole record behind it (records are
 * written one at a time, each synced before the next), or a later segment, proves that it had been durable. Without
 * such proof it is the last one written. Then the disk tells: space is filled with durable zeros before it is used and
 * a crash leaves each sector old or new, so a cut-off write shows zeros where bytes should be. A last record that
 * shows none was written completely and changed later: damage.
 */
import { StorageError, damaged, notAuthentic } from "./errors.ts";
import type { StorageErrorPlace } from "./errors.ts";
import { RecordOpener } from "./record-cipher.ts";
import {
  bodyChecksumFits,
  isCutRecordEnd,
  hasNoRecordEnd,
  hasNoRecordStart,
  isKnownRecord,
  readRecordHeader,
  recordAlignmentBytes,
  recordExtentBytes,
  recordHeaderBytes,
} from "./record-format.ts";
import type { RecordHeader } from "./record-format.ts";
import { sectorBytes, segmentHeaderBytes } from "./segment-format.ts";
import type { OpenedSegmentHeader } from "./segment-format.ts";

/** What is known before the segment is read. */
export interface ScanContext {
  readonly file: string;
  readonly header: OpenedSegmentHeader;
  /** Header checksum of the record before the first one here; null when that record is gone. */
  readonly previousChecksum: number | null;
  /** The sequence of the last record that must be here because a later segment says so; null in the last segment. */
  readonly lastSequence: number | null;
}

export interface ScanEnd {
  /** Where the next record goes. */
  readonly endBytes: number;
  /** Sequence of the last record (the one before the segment's first when it is empty). */
  readonly sequence: number;
  readonly previousChecksum: number | null;
  readonly sealed: boolean;
  /** Non-zero bytes of a cut-off write from `endBytes` on; 0 when the end is clean. */
  readonly tornBytes: number;
}

/**
 * Calls `visit` with each whole record (its header, its body in the clear, where the body is) and returns how the
 * segment ends. The body is a copy in an encrypted segment, else a view of `bytes`.
 *
 * Throws `damaged` or `unknownVersion`, naming file and offset.
 */
export function scanRecords(
  bytes: Uint8Array,
  context: ScanContext,
  visit: (header: RecordHeader, body: Uint8Array, bodyAt: number) => void,
): ScanEnd {
  const { key } = context.header;
  const opener = key === null ? null : new RecordOpener(key);
  let at = segmentHeaderBytes;
  let sequence = context.header.firstSequence - 1;
  let previousChecksum = context.previousChecksum;
  let sealed = false;
  let tornBytes = 0;
  while (at + recordHeaderBytes <= bytes.length && !sealed) {
    const header = readWholeRecord(bytes, at, context);
    if (header === null) {
      // Everything a later segment builds on is here; what follows can only be an unfinished seal.
      tornBytes =
        sequence === context.lastSequence ? 0 : judgeUnreadable(bytes, at, context, sequence);
      break;
    }
    checkChain(header, { sequence, previousChecksum, context, at });
    visit(header, openBody(bytes, { header, opener, context, at }), at + recordHeaderBytes);
    sequence = header.sequence;
    sealed = header.seal;
    if (!sealed) {
      previousChecksum = header.checksum;
    }
    at += recordExtentBytes(header.bodyBytes);
  }
  const lastSequence = context.lastSequence;
  if (lastSequence !== null && sequence !== lastSequence + (sealed ? 1 : 0)) {
    throw damaged(
      `This log segment ends with record ${sequence}, the next segment follows record ${lastSequence}`,
      placeOf(context, at),
    );
  }
  return { endBytes: at, sequence, previousChecksum, sealed, tornBytes };
}

function placeOf(context: ScanContext, offsetBytes: number): StorageErrorPlace {
  return { file: context.file, offsetBytes };
}

/** Whether the unreadable bytes at `at`, with nothing whole behind them, are what a crash leaves of a last write. */
export function isCutOffAt(bytes: Uint8Array, at: number, header: RecordHeader | null): boolean {
  const extentEnd =
    header === null ? at + recordAlignmentBytes : at + recordExtentBytes(header.bodyBytes);
  return isCutOff(bytes, {
    at,
    end: endOfContent(bytes, at),
    extentEnd,
    headerFits: header !== null,
  });
}

/** The header of a record whose checksums fit; null when they do not. Throws when a right header can not be true here. */
function readWholeRecord(bytes: Uint8Array, at: number, context: ScanContext): RecordHeader | null {
  const header = readRecordHeader(bytes, at, context.header.salt);
  if (header === null) {
    return null;
  }
  if (!isKnownRecord(header)) {
    throw new StorageError(
      "unknownVersion",
      `A log record has format version ${header.version} with flags ${header.flags}, which this program does not ` +
        `know. Start the version that wrote it`,
      { place: placeOf(context, at) },
    );
  }
  if (!isInPlace(header, at, context)) {
    throw damaged(
      `A log record written for offset ${header.position} of segment ${header.segmentNumber} is in the wrong place`,
      placeOf(context, at),
    );
  }
  if (at + recordExtentBytes(header.bodyBytes) > bytes.length) {
    throw damaged("A log record is longer than its file", placeOf(context, at));
  }
  return bodyChecksumFits(bytes, at, header) ? header : null;
}

/** The body in the clear. What a right checksum and a wrong tag say is never a cut-off write. */
function openBody(
  bytes: Uint8Array,
  record: {
    readonly header: RecordHeader;
    readonly opener: RecordOpener | null;
    readonly context: ScanContext;
    readonly at: number;
  },
): Uint8Array {
  const { header, opener, context, at } = record;
  const place = placeOf(context, at);
  if (header.encrypted !== (opener !== null)) {
    throw damaged(
      opener === null
        ? "An encrypted log record stands in a segment that is not encrypted"
        : "A log record that is not encrypted stands in an encrypted segment",
      place,
    );
  }
  const bodyAt = at + recordHeaderBytes;
  const body = bytes.subarray(bodyAt, bodyAt + header.bodyBytes);
  if (opener === null) {
    return body;
  }
  const plain = opener.open(bytes.subarray(at, bodyAt), body);
  if (plain === null) {
    throw notAuthentic(`Log record ${header.sequence}`, place);
  }
  return plain;
}

function isInPlace(header: RecordHeader, at: number, context: ScanContext): boolean {
  return header.position === at && header.segmentNumber === context.header.number % 4_294_967_296;
}

function checkChain(
  header: RecordHeader,
  found: {
    readonly sequence: number;
    readonly previousChecksum: number | null;
    readonly context: ScanContext;
    readonly at: number;
  },
): void {
  if (header.sequence !== found.sequence + 1) {
    throw damaged(
      `Log record ${found.sequence + 1} is missing, record ${header.sequence} is in its place`,
      placeOf(found.context, found.at),
    );
  }
  if (found.previousChecksum !== null && header.previousChecksum !== found.previousChecksum) {
    throw damaged(
      `Log record ${header.sequence} does not follow the record before it`,
      placeOf(found.context, found.at),
    );
  }
}

/** Decides what the unreadable bytes at `at` are: their number when a crash cut them off (0 = none), else throws. */
function judgeUnreadable(
  bytes: Uint8Array,
  at: number,
  context: ScanContext,
  sequence: number,
): number {
  const end = endOfContent(bytes, at);
  if (end === at && context.lastSequence === null) {
    return 0;
  }
  const header = readRecordHeader(bytes, at, context.header.salt);
  const extentEnd =
    header === null ? at + recordAlignmentBytes : at + recordExtentBytes(header.bodyBytes);
  const later = findRecord(bytes, extentEnd, context);
  if (later !== -1) {
    throw damaged(
      `Log record ${sequence + 1} does not match its checksum, but a later record is whole (at offset ${later})`,
      placeOf(context, at),
    );
  }
  if (context.lastSequence !== null) {
    throw damaged(
      `Log record ${sequence + 1} does not match its checksum, but the log goes on in the next segment`,
      placeOf(context, at),
    );
  }
  if (!isCutOff(bytes, { at, end, extentEnd, headerFits: header !== null })) {
    throw damaged(
      `Log record ${sequence + 1} does not match its checksum and is not a write that a crash cut off`,
      placeOf(context, at),
    );
  }
  return end - at;
}

function isCutOff(
  bytes: Uint8Array,
  record: {
    readonly at: number;
    readonly end: number;
    readonly extentEnd: number;
    readonly headerFits: boolean;
  },
): boolean {
  if (!record.headerFits) {
    const { at, end } = record;
    return (
      hasNoRecordStart(bytes, at) || (hasNoRecordEnd(bytes, at) && end < at + recordHeaderBytes)
    );
  }
  if (record.end > record.extentEnd) {
    // One record is written at a time: nothing may stand behind the last one.
    return false;
  }
  return (
    isCutRecordEnd(bytes, record.extentEnd) || hasEmptySector(bytes, record.at, record.extentEnd)
  );
}

/** Whether a sector of the range, the first one aside (the header is in it), holds zeros only. */
function hasEmptySector(bytes: Uint8Array, start: number, end: number): boolean {
  let at = (Math.floor(start / sectorBytes) + 1) * sectorBytes;
  for (; at < end; at += sectorBytes) {
    if (isZero(bytes, at, Math.min(at + sectorBytes, end))) {
      return true;
    }
  }
  return false;
}

/** The position of a record of this segment at or behind `from`, or -1. */
function findRecord(bytes: Uint8Array, from: number, context: ScanContext): number {
  const salt = context.header.salt;
  for (let at = from; at + recordHeaderBytes <= bytes.length; at += recordAlignmentBytes) {
    const header = readRecordHeader(bytes, at, salt);
    if (header !== null && isInPlace(header, at, context)) {
      return at;
    }
  }
  return -1;
}

const zeroBlock: Buffer = Buffer.alloc(64 * 1024);

/** Whether all bytes of a range are zero; by blocks, because segments are long and mostly empty. */
export function isZero(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at += zeroBlock.length) {
    const length = Math.min(zeroBlock.length, end - at);
    if (zeroBlock.compare(bytes, at, at + length, 0, length) !== 0) {
      return false;
    }
  }
  return true;
}

/** The position behind the last non-zero byte at or behind `from`; `from` when there is none. */
export function endOfContent(bytes: Uint8Array, from: number): number {
  let end = bytes.length;
  while (end > from) {
    const start = Math.max(from, end - zeroBlock.length);
    if (!isZero(bytes, start, end)) {
      break;
    }
    end = start;
  }
  while (end > from && bytes[end - 1] === 0) {
    end -= 1;
  }
  return end;
}
