/**
 * A whole number in DER, for the one extension that the certificate library does not know: the number of a revocation
 * list (RFC 5280, 5.2.3: never negative, at most 20 bytes).
 *
 *   +------+--------+----------------------------------------------+
 *   | 0x02 | length | big-endian, first bit 0                      |
 *   +------+--------+----------------------------------------------+
 */
const INTEGER_TAG = 0x02;
const BYTES_MAX = 20;

/** @throws RangeError below zero or beyond 20 bytes */
export function encodeDerInteger(value: bigint): Uint8Array<ArrayBuffer> {
  if (value < 0n) throw new RangeError(`${value} is negative`);
  const digits = value.toString(16);
  const even = digits.length % 2 === 0 ? digits : `0${digits}`;
  const bytes = Buffer.from(/^[89a-f]/.test(even) ? `00${even}` : even, "hex");
  if (bytes.length > BYTES_MAX) throw new RangeError(`${value} has more than ${BYTES_MAX} bytes`);
  return Uint8Array.from([INTEGER_TAG, bytes.length, ...bytes]);
}

/** Null for what is no such number. */
export function decodeDerInteger(bytes: Uint8Array): bigint | null {
  const [tag, length = 0, first = 0x80] = bytes;
  if (tag !== INTEGER_TAG || length > BYTES_MAX || length !== bytes.length - 2) return null;
  return first >= 0x80 ? null : BigInt(`0x${Buffer.from(bytes.subarray(2)).toString("hex")}`);
}
