/**
 * Log entries as bytes, one behind the other. Data is copied raw: a state machine command costs one memory copy.
 *
 *    0               4         5          8          16
 *    +---------------+---------+----------+----------+---------------+
 *    | dataSize u32  | kind u8 | 0 0 0    | term u64 | data          |  next entry ...
 *    +---------------+---------+----------+----------+---------------+
 *
 * The index is not stored: entries of a record follow each other from the record's first index.
 */
import type { Entry, EntryKind, Index, Term } from "@ferrite/raft";
import { readU32, readU64, writeU32, writeU64 } from "./little-endian.ts";

const entryHeaderBytes = 16;

/** Entries that are already in this encoding. */
export interface EncodedEntries {
  readonly firstIndex: Index;
  readonly count: number;
  readonly lastTerm: Term;
  readonly bytes: Uint8Array;
}

/** Bytes that `writeEntries` will need. */
export function entriesSizeBytes(entries: readonly Entry[]): number {
  let sizeBytes = 0;
  for (const entry of entries) {
    sizeBytes += entryHeaderBytes + entry.data.length;
  }
  return sizeBytes;
}

/** Writes all entries at `at`; returns the position behind them. */
export function writeEntries(into: Uint8Array, at: number, entries: readonly Entry[]): number {
  let position = at;
  for (const entry of entries) {
    const data = entry.data;
    writeU32(into, position, data.length);
    writeU32(into, position + 4, entry.kind);
    writeU64(into, position + 8, entry.term);
    into.set(data, position + entryHeaderBytes);
    position += entryHeaderBytes + data.length;
  }
  return position;
}

/** The term of the last of `count` entries, or -1 when the bytes do not hold exactly `count` entries. */
export function lastTermOf(bytes: Uint8Array, count: number): number {
  let position = 0;
  let term = -1;
  for (let i = 0; i < count; i += 1) {
    if (position + entryHeaderBytes > bytes.length) {
      return -1;
    }
    term = readU64(bytes, position + 8);
    position += entryHeaderBytes + readU32(bytes, position);
  }
  return position === bytes.length ? term : -1;
}

/** Calls `visit` for each entry; data are views of `bytes`. The bytes must have passed `lastTermOf`. */
export function readEntries(
  bytes: Uint8Array,
  first: { readonly index: Index; readonly count: number },
  visit: (entry: Entry) => void,
): void {
  let position = 0;
  for (let i = 0; i < first.count; i += 1) {
    const start = position + entryHeaderBytes;
    const end = start + readU32(bytes, position);
    visit({
      index: first.index + i,
      term: readU64(bytes, position + 8),
      kind: bytes[position + 4] as EntryKind,
      data: bytes.subarray(start, end),
    });
    position = end;
  }
}
