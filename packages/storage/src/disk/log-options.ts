/** How a log is opened, and the limits of its options. */
import { randomInt } from "node:crypto";
import type { Index, Term } from "@ferrite/raft";
import type { AtRestKeys } from "./at-rest-keys.ts";
import { StorageError } from "./errors.ts";
import { randomBytesOfThisMachine } from "./random-bytes.ts";
import type { RandomBytes } from "./random-bytes.ts";
import type { VoteFileOptions } from "./vote-slot-format.ts";

export const segmentBytesDefault: number = 64 * 1024 * 1024;
/** Legal range of `segmentBytes`: one page to 1 GiB. */
export const segmentBytesMin = 4096;
export const segmentBytesMax: number = 1024 * 1024 * 1024;

export interface LogOptions {
  /** Where the segments are; made when it is not there. Nothing else should be in it. */
  readonly directory: string;
  readonly clusterId: string;
  /** 32 bits. */
  readonly groupId: number;
  /** Size of a segment; default 64 MiB. A single write that is larger gets a segment of its own size. */
  readonly segmentBytes?: number;
  /** The newest snapshot: entries up to it are skipped. Default: none. */
  readonly after?: { readonly index: Index; readonly term: Term };
  /** Where term and vote are kept a second time (vote-file.ts), outside of `directory`; default: nowhere. */
  readonly voteFile?: string;
  /** With these new segments are encrypted, and encrypted ones read. Default: null, none is. */
  readonly encryption?: AtRestKeys | null;
  /** Where data keys and nonces come from; by default the machine's source. The simulator passes its own. */
  readonly randomBytes?: RandomBytes;
  /** A random 32-bit number for each new segment; by default from the machine's source. The simulator passes its own. */
  readonly randomSalt?: () => number;
}

/** Where the random numbers of a log come from. */
export interface LogRandom {
  readonly salt: () => number;
  readonly bytes: RandomBytes;
}

/** Throws `limitExceeded` when `segmentBytes` is out of range. */
export function segmentBytesOf(options: LogOptions): number {
  const segmentBytes = options.segmentBytes ?? segmentBytesDefault;
  if (
    !Number.isInteger(segmentBytes) ||
    segmentBytes < segmentBytesMin ||
    segmentBytes > segmentBytesMax
  ) {
    throw new StorageError(
      "limitExceeded",
      `log-segment-bytes is ${segmentBytes}; it must be between ${segmentBytesMin} and ${segmentBytesMax}`,
    );
  }
  return segmentBytes;
}

/** The vote file of a log; null when it has none. */
export function voteFileOptions(options: LogOptions): VoteFileOptions | null {
  const { voteFile, clusterId, groupId } = options;
  if (voteFile === undefined) {
    return null;
  }
  const encryption = options.encryption ?? null;
  return {
    path: voteFile,
    clusterId,
    groupId,
    encryption,
    randomBytes: logRandomOf(options).bytes,
  };
}

/** What the options say, else this machine's source. */
export function logRandomOf(options: LogOptions): LogRandom {
  return {
    salt: options.randomSalt ?? (() => randomInt(2 ** 32)),
    bytes: options.randomBytes ?? randomBytesOfThisMachine,
  };
}
