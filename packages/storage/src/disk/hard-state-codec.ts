/**
 * The hard state as bytes. It stands at the end of every log record and in every segment header, so that the newest
 * record always tells it and no segment has to be kept for its sake.
 *
 *    0          8            16             18
 *    +----------+------------+--------------+-----------------+
 *    | term u64 | commit u64 | voteSize u16 | vote, UTF-8     |
 *    +----------+------------+--------------+-----------------+
 *    voteSize 0 = no vote. No bytes at all = no hard state yet.
 */
import type { HardState } from "@ferrite/raft";
import { StorageError } from "./errors.ts";
import { readU16, readU64, writeU16, writeU64 } from "./little-endian.ts";

/** Longest node id, in bytes of UTF-8. Ids are UUIDs (36 bytes). */
export const nodeIdBytesMax = 128;

const fixedBytes = 18;
export const hardStateBytesMax: number = fixedBytes + nodeIdBytesMax;

const noBytes: Uint8Array = new Uint8Array(0);
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** Throws `limitExceeded` when the vote is longer than `nodeIdBytesMax`. */
export function encodeHardState(hardState: HardState | null): Uint8Array {
  if (hardState === null) {
    return noBytes;
  }
  const vote = hardState.vote === null ? noBytes : encoder.encode(hardState.vote);
  if (vote.length > nodeIdBytesMax) {
    throw new StorageError(
      "limitExceeded",
      `The node id voted for has ${vote.length} bytes; at most ${nodeIdBytesMax} can be stored`,
    );
  }
  const bytes = new Uint8Array(fixedBytes + vote.length);
  writeU64(bytes, 0, hardState.term);
  writeU64(bytes, 8, hardState.commit);
  writeU16(bytes, 16, vote.length);
  bytes.set(vote, fixedBytes);
  return bytes;
}

/** Null bytes mean no hard state; undefined means that these bytes are not one. */
export function decodeHardState(bytes: Uint8Array): HardState | null | undefined {
  if (bytes.length === 0) {
    return null;
  }
  if (bytes.length < fixedBytes || bytes.length !== fixedBytes + readU16(bytes, 16)) {
    return undefined;
  }
  const term = readU64(bytes, 0);
  const commit = readU64(bytes, 8);
  if (!Number.isSafeInteger(term) || !Number.isSafeInteger(commit)) {
    return undefined;
  }
  const vote = bytes.subarray(fixedBytes);
  return { term, commit, vote: vote.length === 0 ? null : decoder.decode(vote) };
}
