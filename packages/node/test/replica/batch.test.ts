import { fc, test } from "./fast-check.ts";
import { describe, expect, it } from "vitest";
import {
  BATCH_HEADER_BYTES,
  BatchBuilder,
  BatchKind,
  BatchReader,
  isWholeBatch,
  renumber,
  stamp,
  uuidBytes,
} from "../../src/replica/batch.ts";

const ORIGIN = {
  nodeBytes: uuidBytes("00112233-4455-4677-8899-aabbccddeeff"),
  incarnation: 65_536,
  sequence: 9,
  aclRevision: 7,
};

function batchOf(...records: readonly string[]): Buffer {
  const builder = new BatchBuilder(BatchKind.Commands);
  for (const record of records) builder.add(Buffer.from(record), 0, Buffer.byteLength(record), 0);
  return builder.seal(ORIGIN);
}

function recordsOf(batch: Buffer): string[] {
  const reader = new BatchReader();
  expect(reader.open(batch)).toBe(true);
  const records: string[] = [];
  while (reader.next())
    records.push(reader.buffer.toString("utf8", reader.recordStart, reader.recordEnd));
  return records;
}

describe("a batch of writes", () => {
  it("gives back what was put in, with its origin and stamp", () => {
    const batch = batchOf("one", "", "three");
    stamp(batch, { timeMs: 1_700_000_000_123, seed: 0xdeadbeef });
    const reader = new BatchReader();
    expect(reader.open(batch)).toBe(true);
    expect(recordsOf(batch)).toEqual(["one", "", "three"]);
    expect(Buffer.from(reader.originKey, "latin1")).toEqual(ORIGIN.nodeBytes);
    expect(reader).toMatchObject({
      incarnation: 65_536,
      sequence: 9,
      timeMs: 1_700_000_000_123,
      seed: 0xdeadbeef,
      aclRevision: 7,
    });
  });

  it("takes exactly the bytes it needs, however large the builder has grown", () => {
    const builder = new BatchBuilder(BatchKind.Commands);
    const large = Buffer.alloc(300_000, 1);
    builder.add(large, 0, large.length, 0);
    expect(builder.seal(ORIGIN)).toHaveLength(BATCH_HEADER_BYTES + 8 + large.length);
    builder.add(large, 0, 5, 0);
    expect(builder.seal(ORIGIN)).toHaveLength(BATCH_HEADER_BYTES + 8 + 5);
  });

  it("can be given another place in the stream", () => {
    const batch = batchOf("one");
    renumber(batch, { incarnation: 70_000, sequence: 1 });
    const reader = new BatchReader();
    reader.open(batch);
    expect([reader.incarnation, reader.sequence]).toEqual([70_000, 1]);
    expect(recordsOf(batch)).toEqual(["one"]);
  });

  it("is its own, also when it is so large that it is not copied out", () => {
    const builder = new BatchBuilder(BatchKind.Commands);
    const seal = (text: string): Buffer => {
      const bytes = Buffer.from(text);
      builder.add(bytes, 0, bytes.length, 0);
      return builder.seal(ORIGIN);
    };
    const texts = ["a".repeat(6_000_000), "b".repeat(5_000_000), "c", "d".repeat(6_000_000), "e"];
    const batches = texts.map(seal);
    expect(batches.every(isWholeBatch)).toBe(true);
    expect(batches.flatMap(recordsOf)).toEqual(texts);
  });

  it("is refused when it is cut short, has something left over, or is of another format", () => {
    const batch = batchOf("one", "two");
    expect(isWholeBatch(batch)).toBe(true);
    for (let length = 0; length < batch.length; length++) {
      expect(isWholeBatch(batch.subarray(0, length))).toBe(false);
    }
    expect(isWholeBatch(Buffer.concat([batch, Buffer.of(0)]))).toBe(false);
    const otherFormat = Buffer.from(batch);
    otherFormat[0] = 1;
    expect(isWholeBatch(otherFormat)).toBe(false);
    const expiry = Buffer.from(batch);
    expiry[1] = BatchKind.Expiry;
    expect(isWholeBatch(expiry)).toBe(false);
  });

  it("never reads outside of itself, whatever bytes it is made of", () => {
    test(
      fc.property(fc.uint8Array({ minLength: BATCH_HEADER_BYTES, maxLength: 200 }), (bytes) => {
        const batch = Buffer.from(bytes);
        batch[0] = 2;
        batch[1] = 1;
        const reader = new BatchReader();
        if (!reader.open(batch)) return;
        while (reader.next()) expect(reader.recordEnd).toBeLessThanOrEqual(batch.length);
        isWholeBatch(batch);
      }),
    );
  });
});
