/**
 * One `LogWrite` as bytes, for the way from the main thread to the log's worker. Entries are in the encoding of the
 * log itself (entry-codec.ts): the worker copies them without looking at them.
 *
 *    0                   4                8                16              24
 *    +-------------------+----------------+----------------+---------------+------------+---------+
 *    | hardStateSize u32 | entryCount u32 | firstIndex u64 | lastTerm u64  | hard state | entries |
 *    +-------------------+----------------+----------------+---------------+------------+---------+
 */
import type { HardState } from "@ferrite/raft";
import { entriesSizeBytes, writeEntries } from "./entry-codec.ts";
import type { EncodedEntries } from "./entry-codec.ts";
import { StorageError } from "./errors.ts";
import { decodeHardState, encodeHardState } from "./hard-state-codec.ts";
import { readU32, readU64, writeU32, writeU64 } from "./little-endian.ts";
import type { LogWrite } from "./ports.ts";
import type { SegmentedLog } from "./segmented-log.ts";

const headerBytes = 24;

/** A write that is ready to be put into bytes. */
export interface PreparedWrite {
  readonly write: LogWrite;
  readonly hardState: Uint8Array;
  readonly sizeBytes: number;
}

/** Throws `limitExceeded` when the hard state can not be stored. */
export function prepareWrite(write: LogWrite): PreparedWrite {
  const hardState = encodeHardState(write.hardState);
  const sizeBytes = headerBytes + hardState.length + entriesSizeBytes(write.entries);
  return { write, hardState, sizeBytes };
}

/** Puts the write at `at`; takes `sizeBytes` bytes. */
export function putWrite(prepared: PreparedWrite, into: Uint8Array, at: number): void {
  const { entries } = prepared.write;
  writeU32(into, at, prepared.hardState.length);
  writeU32(into, at + 4, entries.length);
  writeU64(into, at + 8, entries[0]?.index ?? 0);
  writeU64(into, at + 16, entries.at(-1)?.term ?? 0);
  into.set(prepared.hardState, at + headerBytes);
  writeEntries(into, at + headerBytes + prepared.hardState.length, entries);
}

/** Hands the write in `bytes` to the log. */
export function appendFromBytes(log: SegmentedLog, bytes: Uint8Array): void {
  const entriesAt = headerBytes + readU32(bytes, 0);
  const count = readU32(bytes, 4);
  let hardState: HardState | null | undefined = null;
  if (entriesAt > headerBytes) {
    // A copy, because text is not decoded from shared memory.
    hardState = decodeHardState(bytes.slice(headerBytes, entriesAt));
  }
  if (hardState === undefined) {
    throw new StorageError("deviceFailed", "A write reached the log's worker thread garbled");
  }
  const entries: EncodedEntries | null =
    count === 0
      ? null
      : {
          firstIndex: readU64(bytes, 8),
          count,
          lastTerm: readU64(bytes, 16),
          bytes: bytes.subarray(entriesAt),
        };
  log.appendEncoded(hardState, entries);
}
