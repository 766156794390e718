/**
 * The few bytes of Protocol Buffers that two etcd requests need.
 *
 *     field := tag varint (number << 3 | type) value
 *     type 0: varint      type 2: varint length, bytes
 */

/** Encodes byte fields, the first with number 1, the second with number 2, and so on. */
export function encodeByteFields(values: readonly Uint8Array[]): Buffer {
  return Buffer.concat(
    values.flatMap((value, index) => [
      Buffer.from([((index + 1) << 3) | 2, ...encodeVarint(value.length)]),
      value,
    ]),
  );
}

/** The first field of each number: a bigint for varints, the bytes for byte fields. */
export function decodeFields(bytes: Uint8Array): Map<number, bigint | Uint8Array> {
  const fields = new Map<number, bigint | Uint8Array>();
  const cursor = { at: 0 };
  while (cursor.at < bytes.length) {
    const tag = Number(decodeVarint(bytes, cursor));
    const value = decodeValue(bytes, cursor, tag & 7);
    if (!fields.has(tag >> 3)) {
      fields.set(tag >> 3, value);
    }
  }
  return fields;
}

function decodeValue(bytes: Uint8Array, cursor: { at: number }, type: number): bigint | Uint8Array {
  if (type === 0) {
    return decodeVarint(bytes, cursor);
  }
  if (type !== 2) {
    throw new RangeError(`protobuf type ${type} is not expected here`);
  }
  const length = Number(decodeVarint(bytes, cursor));
  const start = cursor.at;
  cursor.at += length;
  return bytes.subarray(start, start + length);
}

function encodeVarint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 127) {
    bytes.push((rest & 127) | 128);
    rest = Math.floor(rest / 128);
  }
  return [...bytes, rest];
}

function decodeVarint(bytes: Uint8Array, cursor: { at: number }): bigint {
  let value = 0n;
  let shift = 0n;
  while (cursor.at < bytes.length) {
    const byte = bytes[cursor.at++];
    value |= BigInt(byte & 127) << shift;
    if (byte < 128) {
      return value;
    }
    shift += 7n;
  }
  throw new RangeError("a varint is cut off");
}
