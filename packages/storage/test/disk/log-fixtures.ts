/** Short ways to make logs and entries in tests. */
import type { Entry, HardState } from "@ferrite/raft";
import type { AtRestKeys } from "../../src/disk/at-rest-keys.ts";
import { StorageError } from "../../src/disk/errors.ts";
import type { FileSystem } from "../../src/disk/file-system.ts";
import type { LogOptions } from "../../src/disk/log-options.ts";
import type { RecoveredLog } from "../../src/disk/ports.ts";
import { SegmentedLog } from "../../src/disk/segmented-log.ts";

export const clusterId = "0f0e0d0c-cluster";
export const nodeId = "5b1f4f0e-7a2c-4c5e-9d53-2f6f0e6d0a11";
export const directory = "/data/log";

export const atRestKeys: AtRestKeys = keysOf(1);

/** Keys of which `id` is the current one; `older` are those before it. */
export function keysOf(id: number, changes: Partial<AtRestKeys> = {}): AtRestKeys {
  const key = (each: number) => ({ id: each, bytes: new Uint8Array(32).fill(0x10 + each) });
  const older = Array.from({ length: id - 1 }, (_, i) => key(i + 1));
  return { nodeId, current: key(id), older, acceptsPlainFiles: false, ...changes };
}

/** Both ways a disk is used; what must be true of one must be true of the other. */
export const modes: readonly { readonly mode: string; readonly encryption: AtRestKeys | null }[] = [
  { mode: "plain", encryption: null },
  { mode: "encrypted", encryption: atRestKeys },
];

/** Keys for a disk that was opened with `encryption`: all its files are read with them. */
export function keysBehind(encryption: AtRestKeys | null): AtRestKeys {
  return keysOf(encryption === null ? 1 : 2, { acceptsPlainFiles: encryption === null });
}

/** `open` in one of the modes. */
export function openerOf(encryption: AtRestKeys | null): typeof open {
  return (fileSystem, options) => open(fileSystem, { encryption, ...options });
}

export function optionsWith(options: Partial<LogOptions> = {}): LogOptions {
  let salt = 1000;
  return {
    directory,
    clusterId,
    groupId: 0,
    segmentBytes: 4096,
    randomSalt: () => (salt += 7),
    ...options,
  };
}

export function open(
  fileSystem: FileSystem,
  options: Partial<LogOptions> = {},
): { readonly log: SegmentedLog; readonly recovered: RecoveredLog } {
  return SegmentedLog.open(fileSystem, optionsWith(options));
}

/** `count` entries from `index` on, whose data say what they are. */
export function entries(index: number, count: number, term = 1, sizeBytes = 40): Entry[] {
  return Array.from({ length: count }, (_, i) => ({
    index: index + i,
    term,
    kind: 0,
    data: new TextEncoder().encode(`entry ${index + i} of term ${term} `.padEnd(sizeBytes, "x")),
  }));
}

export function hardState(term: number, commit = 0): HardState {
  return { term, vote: nodeId, commit };
}

/** Comparable form of entries: what matters of them. */
export function plain(list: readonly Entry[]): unknown[] {
  return list.map(({ index, term, kind, data }) => ({
    index,
    term,
    kind,
    data: Buffer.from(data).toString("latin1"),
  }));
}

export function segmentPath(number: number): string {
  return `${directory}/${String(number).padStart(20, "0")}.log`;
}

/** The `StorageError` that `action` throws; fails when it throws nothing or something else. */
export function storageErrorOf(action: () => unknown): StorageError {
  try {
    action();
  } catch (error) {
    if (error instanceof StorageError) {
      return error;
    }
    throw error;
  }
  throw new Error("expected a StorageError, nothing was thrown");
}
