import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Arena, CHUNK_BYTES } from "../../src/keyspace/arena.ts";
import { KEY_BYTES_MAX, VALUE_BYTES_MAX } from "../../src/keyspace/entry-layout.ts";
import { EntryStore } from "../../src/keyspace/entry-store.ts";
import { Keyspace } from "../../src/keyspace/keyspace.ts";
import {
  BLOCK_BYTES_MAX,
  CLASS_BLOCKS,
  CLASS_BYTES,
  SLAB_BYTES,
  sizeClassOf,
} from "../../src/keyspace/size-classes.ts";
import { findText, removeText, setText, textRange, valueOf } from "./twin.ts";

const EMPTY_BYTES = new Keyspace({ hashSeed: 7 }).usedBytes;

describe("size classes", () => {
  it("give every size the smallest block that holds it, wasting about a fifth of it at most", () => {
    for (let size = 9; size <= BLOCK_BYTES_MAX; size += 1) {
      const sizeClass = sizeClassOf(size);
      const bytes = CLASS_BYTES[sizeClass];
      const smallerBytes = sizeClass === 0 ? 0 : CLASS_BYTES[sizeClass - 1];
      const fits = bytes >= size && smallerBytes < size;
      expect(fits && bytes - size < Math.max(8, bytes * 0.201)).toBe(true);
    }
    for (const [sizeClass, bytes] of CLASS_BYTES.entries()) {
      const rest = SLAB_BYTES - CLASS_BLOCKS[sizeClass] * bytes;
      expect(rest).toBeGreaterThanOrEqual(0);
      expect(rest).toBeLessThan(bytes);
    }
  });
});

describe("the arena", () => {
  it("never hands out overlapping blocks and takes all memory back", () => {
    const step = fc.record({
      size: fc.oneof(
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 1, max: BLOCK_BYTES_MAX }),
      ),
      free: fc.integer({ min: 0, max: 3 }),
      many: fc.integer({ min: 1, max: 60 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: "max" }), (steps) => {
        const arena = new Arena();
        const blocks = new Map<number, number>();
        for (const { size, free, many } of steps) {
          for (let count = 0; count < many; count += 1) {
            const address = arena.allocate(size);
            expect(blocks.has(address)).toBe(false);
            blocks.set(address, size);
          }
          const victims = [...blocks].filter((_, place) => place % 4 < free);
          for (const [address, bytes] of victims) {
            arena.free(address, bytes);
            blocks.delete(address);
          }
          arena.checkInvariants(blocks);
        }
        expectDisjoint(blocks);
        for (const [address, bytes] of blocks) {
          arena.free(address, bytes);
        }
        expect(arena.usedBytes).toBe(0);
        expect(arena.reservedBytes).toBeLessThan(2 * CHUNK_BYTES);
      }),
      { numRuns: 40 },
    );
  });

  it("notices a block freed twice or with a foreign size (canary of its books)", () => {
    const arena = new Arena();
    const one = arena.allocate(100);
    const blocks = new Map([[one, 100]]);
    arena.checkInvariants(blocks);
    expect(() => arena.free(one, 1000)).toThrow(/foreign size/u);
    arena.free(one, 100);
    expect(() => arena.free(one, 100)).toThrow(/unused slab/u);
    expect(() => arena.checkInvariants(blocks)).toThrow(
      /never given out|count of blocks is wrong/u,
    );
  });

  it("says so when it has no address left, and goes on when there is room again", () => {
    const arena = new Arena({ chunksMax: 2 });
    const addresses: number[] = [];
    const fill = (): void => {
      for (;;) {
        addresses.push(arena.allocate(BLOCK_BYTES_MAX));
      }
    };
    expect(fill).toThrow(expect.objectContaining({ code: "ARENA_FULL" }));
    expect(addresses).toHaveLength((2 * CHUNK_BYTES) / BLOCK_BYTES_MAX);
    arena.free(addresses.pop()!, BLOCK_BYTES_MAX);
    addresses.push(arena.allocate(BLOCK_BYTES_MAX));
    arena.checkInvariants(new Map(addresses.map((address) => [address, BLOCK_BYTES_MAX])));
  });

  it("returns whole chunks to the system", () => {
    const arena = new Arena();
    const addresses = Array.from({ length: 1000 }, () => arena.allocate(BLOCK_BYTES_MAX));
    expect(arena.reservedBytes).toBeGreaterThan(15 * CHUNK_BYTES);
    for (const address of addresses) {
      arena.free(address, BLOCK_BYTES_MAX);
    }
    expect(arena.reservedBytes).toBeLessThan(2 * CHUNK_BYTES);
  });
});

function expectDisjoint(blocks: ReadonlyMap<number, number>): void {
  let end = 0;
  for (const [address, bytes] of [...blocks].toSorted(([left], [right]) => left - right)) {
    expect(address * 8).toBeGreaterThanOrEqual(end);
    end = address * 8 + CLASS_BYTES[sizeClassOf(bytes)];
  }
}

describe("memory of the keyspace", () => {
  it("is back where it began when all keys are gone, of whatever sizes they were", () => {
    const keyspace = new Keyspace({ hashSeed: 7 });
    const lengthOf = (number: number): number =>
      number % 50 === 0 ? 20_000 + number : (number * 37) % 700;
    for (let number = 0; number < 20_000; number += 1) {
      const expireAtMs = number % 3 === 0 ? 1_000_000 : 0;
      setText(keyspace, `key:${number}`, "v".repeat(lengthOf(number)), { expireAtMs });
    }
    for (let number = 0; number < 20_000; number += 2) {
      const ref = keyspace.resizeString(
        findText(keyspace, `key:${number}`, 0),
        (number * 13) % 30_000,
      );
      keyspace.setExpireAt(ref, number % 4 === 0 ? 0 : 5_000_000);
    }
    keyspace.checkInvariants();
    for (let number = 0; number < 20_000; number += 1) {
      removeText(keyspace, `key:${(number * 7919) % 20_000}`);
    }
    keyspace.checkInvariants();
    expect(keyspace.size).toBe(0);
    expect(keyspace.usedBytes).toBe(EMPTY_BYTES);
  });

  it("is used again after deletes: writing the same amount over and over does not add up", () => {
    const keyspace = new Keyspace({ hashSeed: 7 });
    const peaks: number[] = [];
    for (let round = 0; round < 6; round += 1) {
      for (let number = 0; number < 5000; number += 1) {
        setText(keyspace, `round:${round}:${number}`, "v".repeat((number * 31 + round * 97) % 400));
      }
      peaks.push(keyspace.usedBytes);
      for (let number = 0; number < 5000; number += 1) {
        removeText(keyspace, `round:${round}:${number}`);
      }
    }
    expect(Math.max(...peaks)).toBeLessThan(Math.min(...peaks) * 1.1);
  });

  it("is at most 110 bytes for a key of 16 and a value of 64", () => {
    const keyspace = new Keyspace({ hashSeed: 7 });
    const count = 60_000;
    for (let number = 0; number < count; number += 1) {
      setText(keyspace, `key:${String(number).padStart(12, "0")}`, "v".repeat(64));
    }
    expect(keyspace.usedBytes / count).toBeLessThan(110);
  });

  it("of an entry covers its bytes, also for long ones", () => {
    const keyspace = new Keyspace({ hashSeed: 7 });
    for (const length of [0, 64, 5000, 16_384, 1_000_000]) {
      const bytes = keyspace.entryBytes(setText(keyspace, "key", "v".repeat(length)));
      expect(bytes).toBeGreaterThan(length);
      expect(bytes).toBeLessThan(length * 1.25 + 1400);
    }
  });

  it("leaves room when a long value grows, so that appending is not copying it each time", () => {
    const keyspace = new Keyspace({ hashSeed: 7 });
    let ref = setText(keyspace, "log", "v".repeat(100_000));
    let moves = 0;
    let buffer = keyspace.valueBuffer(ref);
    for (let number = 0; number < 10_000; number += 1) {
      ref = keyspace.resizeString(ref, 100_000 + number * 10);
      moves += keyspace.valueBuffer(ref) === buffer ? 0 : 1;
      buffer = keyspace.valueBuffer(ref);
    }
    expect(moves).toBeLessThan(10);
    expect(keyspace.usedBytes).toBeLessThan(200_000 * 1.3 + 100_000);
  });
});

describe("limits of the keyspace", () => {
  it("refuses keys and values beyond 512 MiB and stays as it was", () => {
    const keyspace = new Keyspace({ hashSeed: 7 }, { hash: () => 5 });
    const ref = setText(keyspace, "a", "1");
    const tooLong = expect.objectContaining({ code: "TOO_LONG" });
    const huge = { buffer: Buffer.alloc(0), start: 0, end: VALUE_BYTES_MAX + 1 };
    const times = { expireAtMs: 0, nowMs: 0 };
    expect(() => keyspace.setString(textRange("a"), huge, times)).toThrow(tooLong);
    expect(() => keyspace.resizeString(ref, VALUE_BYTES_MAX + 1)).toThrow(tooLong);
    const hugeKey = { ...huge, end: KEY_BYTES_MAX + 1 };
    expect(() => keyspace.setString(hugeKey, textRange("1"), times)).toThrow(tooLong);
    expect(() => keyspace.copyTo(ref, hugeKey, 0)).toThrow(tooLong);
    keyspace.checkInvariants();
    expect(valueOf(keyspace, findText(keyspace, "a", 0)).toString()).toBe("1");
  });

  it("stops at an entry of a type it does not know", () => {
    const entries = new EntryStore();
    const fields = { typeByte: 3, epoch: 1, clockSeconds: 2, expireAtMs: 0 };
    const ref = entries.create(fields, Buffer.from("k"), 0, 1, 0);
    expect(entries.typeByte(ref)).toBe(3);
    const keyspace = new Keyspace({ hashSeed: 7 });
    const own = setText(keyspace, "k", "v");
    const snapshot = keyspace.beginSnapshot() as unknown as { store: { entries: EntryStore } };
    const words = snapshot.store.entries.arena.words[own >>> 17];
    words[(own & 0x1ffff) << 1] |= 3 << 8;
    expect(() => keyspace.type(own)).toThrow(expect.objectContaining({ code: "INVARIANT" }));
  });
});
