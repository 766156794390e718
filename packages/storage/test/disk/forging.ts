/** What somebody with access to the disk can do: change bytes and make the checksums, which need no key, right again. */
import { crc32 } from "node:zlib";
import { keySlotsEnd, keySlotsAt } from "../../src/disk/file-envelope.ts";
import { recordExtentBytes } from "../../src/disk/record-format.ts";

const headerBytes = 64;

/** Positions of the records of a segment, its seal too. */
export function recordsOf(segment: Uint8Array): number[] {
  const view = viewOf(segment);
  const positions: number[] = [];
  let at = 512;
  while (at + headerBytes <= segment.length && view.getUint32(at, true) !== 0) {
    positions.push(at);
    at += recordExtentBytes(view.getUint32(at + 28, true));
  }
  return positions;
}

/** Makes both checksums of the record at `at` right. */
export function restampRecord(segment: Uint8Array, at: number): void {
  const view = viewOf(segment);
  const bodyEnd = at + headerBytes + view.getUint32(at + 28, true);
  view.setUint32(at + 40, crc32(segment.subarray(at + headerBytes, bodyEnd)), true);
  const salt = view.getUint32(56, true);
  view.setUint32(at + 56, crc32(segment.subarray(at, at + 56), salt), true);
}

/** Makes the checksum of an encrypted segment's header right. */
export function restampSegment(segment: Uint8Array): void {
  const before = crc32(segment.subarray(0, keySlotsAt));
  viewOf(segment).setUint32(504, crc32(segment.subarray(keySlotsEnd, 504), before), true);
}

/** Makes the checksum of a key slot right. */
export function restampSlot(file: Uint8Array, at: number): void {
  viewOf(file).setUint32(at + 68, crc32(file.subarray(at, at + 68)), true);
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
