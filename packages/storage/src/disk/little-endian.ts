/**
 * Little-endian numbers in byte arrays, without DataView or BigInt: the log writer calls these for every entry, on
 * ordinary and on shared memory. 64-bit values are safe integers (below 2^53); more on disk is damage and reads as
 * a number that no check accepts.
 */

const twoTo32 = 4_294_967_296;

export function writeU16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
}

export function readU16(bytes: Uint8Array, at: number): number {
  return bytes[at] | (bytes[at + 1] << 8);
}

export function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}

export function readU32(bytes: Uint8Array, at: number): number {
  return (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)) >>> 0;
}

export function writeU64(bytes: Uint8Array, at: number, value: number): void {
  writeU32(bytes, at, value % twoTo32);
  writeU32(bytes, at + 4, Math.floor(value / twoTo32));
}

export function readU64(bytes: Uint8Array, at: number): number {
  return readU32(bytes, at + 4) * twoTo32 + readU32(bytes, at);
}
