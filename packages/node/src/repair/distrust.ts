/**
 * A mark in the data directory of a node whose state is not that of the majority (R32): what it has applied is not to be
 * used again. Its log is as good as any, and so are its votes; its snapshots and its memory are not.
 */
import { writeFileDurably, type FileSystem } from "@ferrite/storage";

function markPath(dataDirectory: string): string {
  return `${dataDirectory}/state-distrusted`;
}

export function distrustState(fileSystem: FileSystem, dataDirectory: string, why: string): void {
  writeFileDurably(fileSystem, markPath(dataDirectory), Buffer.from(`${why}\n`));
}

export function isStateDistrusted(fileSystem: FileSystem, dataDirectory: string): boolean {
  return fileSystem.exists(markPath(dataDirectory));
}

/** What was distrusted is out of use, durably. */
export function endDistrust(fileSystem: FileSystem, dataDirectory: string): void {
  fileSystem.remove(markPath(dataDirectory));
  fileSystem.syncDirectory(dataDirectory);
}
