/** What a process of this test holds in memory, where the system lets its parent look (Linux). */
import { closeSync, openSync, readFileSync, readSync } from "node:fs";

/** Read at once; a canary may lie across two pieces, so that they overlap. */
const PIECE_BYTES = 16 * 1024 * 1024;
const OVERLAP_BYTES = 256;

/** Whether `forEachPiece` can look at that process. */
export function isMemoryReadable(pid: number): boolean {
  try {
    closeSync(openSync(`/proc/${pid}/mem`, "r"));
    return true;
  } catch {
    return false;
  }
}

/** Hands over all writable memory, piece by piece. The bytes are overwritten by the next piece. */
export function forEachPiece(pid: number, look: (piece: Buffer) => void): number {
  const memory = openSync(`/proc/${pid}/mem`, "r");
  const buffer = Buffer.allocUnsafeSlow(PIECE_BYTES);
  let readBytes = 0;
  try {
    for (const line of readFileSync(`/proc/${pid}/maps`, "utf8").split("\n")) {
      const region = /^(?<from>[0-9a-f]+)-(?<to>[0-9a-f]+) rw/.exec(line)?.groups;
      if (region === undefined) continue;
      const to = Number.parseInt(region["to"], 16);
      for (
        let at = Number.parseInt(region["from"], 16);
        at < to;
        at += PIECE_BYTES - OVERLAP_BYTES
      ) {
        const count = readOrNothing(memory, buffer, Math.min(PIECE_BYTES, to - at), at);
        readBytes += count;
        if (count > 0) look(buffer.subarray(0, count));
      }
    }
  } finally {
    closeSync(memory);
  }
  return readBytes;
}

/** Regions that are given back meanwhile, or belong to the kernel, can not be read. */
function readOrNothing(file: number, buffer: Buffer, length: number, position: number): number {
  try {
    return readSync(file, buffer, 0, length, position);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EIO") return 0;
    throw error;
  }
}
