import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { KEY_BYTES_MAX, VALUE_BYTES_MAX } from "../../src/keyspace/entry-layout.ts";
import { KeyspaceError } from "../../src/keyspace/errors.ts";
import { Keyspace } from "../../src/keyspace/keyspace.ts";
import { restored, snapshotOf } from "./snapshot-taking.ts";
import { contentsOf, setText } from "./twin.ts";

const START_BYTES = 12;

function example(): Keyspace {
  const keyspace = new Keyspace({ hashSeed: 7 });
  setText(keyspace, "", "");
  setText(keyspace, "plain", "value");
  setText(keyspace, "volatile", "value", { expireAtMs: 1_800_000_000_123 });
  setText(keyspace, "far", "value", { expireAtMs: 2 ** 63 });
  setText(keyspace, "long", "x".repeat(40_000), { expireAtMs: 5 });
  setText(keyspace, "K".repeat(17_000), "long key");
  setText(keyspace, "K".repeat(17_001), "");
  return keyspace;
}

function start(entryCount: number): Buffer {
  const bytes = Buffer.alloc(START_BYTES);
  bytes.set([0x46, 0x4b, 0x53, 1]);
  bytes.writeUInt32LE(entryCount % 2 ** 32, 4);
  bytes.writeUInt32LE(Math.floor(entryCount / 2 ** 32), 8);
  return bytes;
}

function record(
  key: string,
  value: string,
  options: { type?: number; expireAtMs?: number } = {},
): Buffer {
  const header = Buffer.alloc(options.expireAtMs === undefined ? 10 : 18);
  header[0] = options.expireAtMs === undefined ? 1 : 2;
  header[1] = options.type ?? 0;
  header.writeUInt32LE(key.length, 2);
  header.writeUInt32LE(value.length, 6);
  if (options.expireAtMs !== undefined) {
    header.writeDoubleLE(options.expireAtMs, 10);
  }
  return Buffer.concat([header, Buffer.from(key), Buffer.from(value)]);
}

const END = Buffer.from([255]);

/** Checks all but the message, which it returns: nothing is left of the attempt. */
function refusal(bytes: Buffer): string {
  const keyspace = new Keyspace({ hashSeed: 7 });
  const restore = keyspace.restore();
  const baseline = keyspace.usedBytes;
  let message = "";
  try {
    restore.write(bytes);
    restore.end();
  } catch (error) {
    message = error instanceof KeyspaceError ? error.message : String(error);
  }
  keyspace.checkInvariants();
  if (keyspace.size > 0 || keyspace.usedBytes !== baseline) {
    throw new Error("a refused snapshot left something behind");
  }
  return message;
}

describe("restore", () => {
  it("reads what a snapshot wrote, cut anywhere", () => {
    const keyspace = example();
    const bytes = snapshotOf(keyspace);
    const cuts = fc.array(fc.integer({ min: 1, max: 20_000 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(cuts, (pieceBytes) => {
        const copy = restored(bytes, pieceBytes);
        expect(contentsOf(copy)).toEqual(contentsOf(keyspace));
        expect(copy.stateHash()).toBe(keyspace.stateHash());
        copy.checkInvariants();
      }),
      { numRuns: 30 },
    );
    expect(restored(bytes, [1]).stateHash()).toBe(keyspace.stateHash());
  });

  it("takes no more memory than the same keys set one by one, within a tenth", () => {
    const keyspace = new Keyspace({ hashSeed: 7 });
    for (let number = 0; number < 30_000; number += 1) {
      setText(keyspace, `key:${number}`, "some value");
    }
    const copy = restored(snapshotOf(keyspace));
    expect(copy.usedBytes).toBeLessThan(keyspace.usedBytes * 1.1);
    copy.checkInvariants();
  });

  it("refuses a snapshot that is cut off, at whatever byte", () => {
    const keyspace = new Keyspace({ hashSeed: 7 });
    setText(keyspace, "a", "1");
    setText(keyspace, "b", "2", { expireAtMs: 7 });
    const bytes = snapshotOf(keyspace);
    for (let length = 0; length < bytes.length; length += 1) {
      expect(refusal(bytes.subarray(0, length))).toMatch(/ends too early/u);
    }
  });

  it("names what is wrong", () => {
    const key = record("a", "1");
    const wrong: [Buffer, RegExp][] = [
      [Buffer.from("REDIS0011xxx"), /does not begin as one/u],
      [Buffer.from("FKS\x02\0\0\0\0\0\0\0\0"), /version 2/u],
      [Buffer.concat([start(1), Buffer.from([3])]), /unknown kind 3/u],
      [Buffer.concat([start(1), Buffer.from([0])]), /unknown kind 0/u],
      [Buffer.concat([start(1), record("a", "1", { type: 1 }), END]), /unknown type 1/u],
      [Buffer.concat([start(1), record("a", "1", { type: 0x10 }), END]), /unknown type 16/u],
      [Buffer.concat([start(2), key, key, END]), /a key twice/u],
      [Buffer.concat([start(1), key, record("b", "1"), END]), /more entries/u],
      [Buffer.concat([start(2), key, END]), /announces 2 entries and has 1/u],
      [Buffer.concat([start(1), key, END, END]), /behind its end/u],
    ];
    for (const [bytes, message] of wrong) {
      expect(refusal(bytes)).toMatch(message);
    }
    for (const expireAtMs of [0, -1, NaN, Infinity, -Infinity]) {
      const bytes = Buffer.concat([start(1), record("a", "1", { expireAtMs }), END]);
      expect(refusal(bytes)).toMatch(/an expiry of/u);
    }
  });

  it("refuses lengths beyond the limits", () => {
    const bytes = Buffer.concat([start(1), record("a", "1"), END]);
    const longKey = Buffer.from(bytes);
    longKey.writeUInt32LE(KEY_BYTES_MAX + 1, START_BYTES + 2);
    expect(refusal(longKey)).toMatch(/a key of 536870913 bytes/u);
    const longValue = Buffer.from(bytes);
    longValue.writeUInt32LE(VALUE_BYTES_MAX + 1, START_BYTES + 6);
    expect(refusal(longValue)).toMatch(/a value of 536870913 bytes/u);
  });

  it("takes memory for what has arrived, not for what is announced", () => {
    const bytes = Buffer.concat([start(2 ** 50), record("a", "1")]);
    bytes.writeUInt32LE(VALUE_BYTES_MAX, START_BYTES + 6);
    const keyspace = new Keyspace({ hashSeed: 7 });
    const before = process.memoryUsage().arrayBuffers;
    const restore = keyspace.restore();
    restore.write(bytes);
    const piece = Buffer.alloc(64 * 1024);
    for (let sent = 0; sent < 16; sent += 1) {
      restore.write(piece);
    }
    // 1 MiB of the value came; it is gathered in a buffer of twice that, after smaller ones of the same sum; the index
    // got ready for at most 16,384 segments.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(24 * 1024 * 1024);
    expect(keyspace.usedBytes).toBeLessThan(12 * 1024 * 1024);
    expect(() => restore.end()).toThrow(KeyspaceError);
  });

  it("survives damaged and hostile bytes with a typed error, or reads something valid (S28)", () => {
    const bytes = snapshotOf(example());
    const damage = fc.array(
      fc.record({
        at: fc.oneof(
          fc.integer({ min: 0, max: 200 }),
          fc.integer({ min: 0, max: bytes.length - 1 }),
        ),
        byte: fc.integer({ min: 0, max: 255 }),
      }),
      { minLength: 1, maxLength: 4 },
    );
    const hostile = fc.oneof(
      damage.map((changes) => {
        const damaged = Buffer.from(bytes);
        for (const { at, byte } of changes) {
          damaged[at] = byte;
        }
        return damaged;
      }),
      fc.uint8Array({ maxLength: 300 }).map((tail) => Buffer.concat([start(3), tail])),
    );
    let refused = 0;
    fc.assert(
      fc.property(hostile, fc.integer({ min: 1, max: 5000 }), (attack, pieceBytes) => {
        try {
          restored(attack, [pieceBytes]).checkInvariants();
        } catch (error) {
          if (!(error instanceof KeyspaceError) || error.code !== "RESTORE_MALFORMED") {
            throw error;
          }
          refused += 1;
        }
      }),
      { numRuns: 300 },
    );
    expect(refused).toBeGreaterThan(30);
  });

  it("is for an empty keyspace that is not being snapshotted", () => {
    const keyspace = example();
    const notEmpty = expect.objectContaining({ code: "RESTORE_NOT_EMPTY" });
    expect(() => keyspace.restore()).toThrow(notEmpty);
    keyspace.clear();
    const snapshot = keyspace.beginSnapshot();
    expect(() => keyspace.restore()).toThrow(notEmpty);
    snapshot.cancel();
    expect(() => keyspace.restore()).not.toThrow();
  });

  it("takes nothing more once it has failed or ended", () => {
    const closed = expect.objectContaining({ code: "RESTORE_CLOSED" });
    const failed = new Keyspace({ hashSeed: 7 }).restore();
    expect(() => failed.write(Buffer.from("not a snapshot"))).toThrow(KeyspaceError);
    expect(() => failed.write(END)).toThrow(closed);
    expect(() => failed.end()).toThrow(closed);
    const ended = new Keyspace({ hashSeed: 7 }).restore();
    ended.write(Buffer.concat([start(0), END]));
    ended.end();
    expect(() => ended.write(END)).toThrow(closed);
  });

  it("gives entries that were never idle here", () => {
    const copy = restored(snapshotOf(example()));
    copy.forEach(0, (ref) => expect(copy.idleSeconds(ref, 1_800_000_000_000)).toBe(0));
  });
});

describe("the state hash", () => {
  it("is equal for equal contents, whatever order and history made them", () => {
    const numbers = fc.uniqueArray(fc.integer({ min: 0, max: 500 }), { minLength: 1 });
    fc.assert(
      fc.property(numbers, fc.array(fc.integer({ min: 501, max: 900 })), (kept, gone) => {
        const one = new Keyspace({ hashSeed: 1 });
        const other = new Keyspace({ hashSeed: 2 });
        for (const number of kept) {
          setText(one, `key:${number}`, `value ${number}`, { expireAtMs: number });
        }
        for (const number of [...gone, ...kept.toReversed()]) {
          setText(other, `key:${number}`, "first");
          setText(other, `key:${number}`, `value ${number}`, { expireAtMs: number });
        }
        for (const number of gone) {
          other.remove(Buffer.from(`key:${number}`), 0, `key:${number}`.length, 0);
        }
        expect(other.stateHash()).toBe(one.stateHash());
        expect(one.stateHash()).toMatch(/^[0-9a-f]{32}$/u);
      }),
      { numRuns: 50 },
    );
  });

  it("differs when a key, a value, an expiry or the border between key and value does", () => {
    const contents: [string, string, number][] = [
      ["key", "value", 0],
      ["key", "valuE", 0],
      ["kez", "value", 0],
      ["key", "value", 1],
      ["key", "value", 2],
      ["keyv", "alue", 0],
      ["", "keyvalue", 0],
      ["key", "value\0", 0],
    ];
    const hashes = contents.map(([key, value, expireAtMs]) => {
      const keyspace = new Keyspace({ hashSeed: 1 });
      setText(keyspace, key, value, { expireAtMs });
      return keyspace.stateHash();
    });
    expect(new Set(hashes).size).toBe(contents.length);
    expect(new Keyspace({ hashSeed: 1 }).stateHash()).toBe("0".repeat(32));
  });
});
