import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EntryStore } from "../../src/keyspace/entry-store.ts";
import { HashIndex } from "../../src/keyspace/hash-index.ts";
import { HASH_END, KeyHasher } from "../../src/keyspace/hash.ts";
import { Keyspace } from "../../src/keyspace/keyspace.ts";
import { restored, snapshotOf } from "./snapshot-taking.ts";
import { keyOf, setText } from "./twin.ts";

/** An index of numbered keys whose hashes a test chooses. */
class Numbered {
  readonly entries: EntryStore = new EntryStore();
  readonly index: HashIndex = new HashIndex(this.entries);
  readonly references: Map<number, number> = new Map();
  readonly #hashOf: (number: number) => number;

  constructor(hashOf: (number: number) => number) {
    this.#hashOf = hashOf;
  }

  add(number: number): void {
    const key = Buffer.from(`key:${number}`);
    const fields = { typeByte: 0, epoch: 0, clockSeconds: 0, expireAtMs: 0 };
    const reference = this.entries.create(fields, key, 0, key.length, 0);
    this.index.insert(this.#hashOf(number), reference);
    this.references.set(number, reference);
  }

  remove(number: number): void {
    const reference = this.references.get(number)!;
    this.index.remove(this.#hashOf(number), reference);
    this.entries.destroy(reference);
    this.references.delete(number);
  }

  find(number: number): number {
    const key = Buffer.from(`key:${number}`);
    return this.index.find(this.#hashOf(number), key, 0, key.length);
  }

  check(): void {
    const numbers = new Map([...this.references].map(([number, reference]) => [reference, number]));
    const found = this.index.checkInvariants((reference) => this.#hashOf(numbers.get(reference)!));
    const inIndex = new Set(found);
    const missing = [...this.references.values()].filter((reference) => !inIndex.has(reference));
    if (missing.length > 0 || found.length !== this.references.size) {
      throw new Error("the index holds other entries than were added");
    }
    for (const [number, reference] of this.references) {
      if (this.find(number) !== reference) {
        throw new Error(`key ${number} is not found`);
      }
    }
  }
}

interface Shape {
  readonly hashOf: (number: number) => number;
  /** Collisions make each step a walk over all, so there are fewer keys where all collide. */
  readonly count: number;
}

const SHAPES: Record<string, Shape> = {
  "all the same": { hashOf: () => 12_345, count: 600 },
  "all the greatest": { hashOf: () => HASH_END - 1, count: 1200 },
  "all 0": { hashOf: () => 0, count: 600 },
  "of three values": { hashOf: (number) => [0, 7, HASH_END - 1][number % 3], count: 1500 },
  "next to each other": { hashOf: (number) => 1_000_000 + number, count: 5000 },
  "crowded at the upper end": {
    hashOf: (number) => HASH_END - 1 - Math.floor(number / 2),
    count: 5000,
  },
  "ascending over the whole range": {
    hashOf: (number) => (number * 700_001) % HASH_END,
    count: 5000,
  },
  "equal in the first 20 bits": { hashOf: (number) => (number * 977) % 2048, count: 3000 },
};

describe("the index", () => {
  for (const [name, { hashOf, count }] of Object.entries(SHAPES)) {
    it(`finds and forgets keys whose hashes are ${name}`, () => {
      const numbered = new Numbered(hashOf);
      const baseline = numbered.index.usedBytes;
      for (let number = 0; number < count; number += 1) {
        numbered.add(number);
      }
      numbered.check();
      for (let number = 0; number < count; number += 3) {
        numbered.remove(number);
      }
      numbered.check();
      expect(numbered.find(0)).toBe(0);
      for (let number = count - 1; number >= 0; number -= 1) {
        if (number % 3 !== 0) {
          numbered.remove(number);
        }
      }
      numbered.check();
      expect(numbered.index.usedBytes).toBe(baseline);
    });
  }

  it("keeps its memory near eleven bytes a key, up and down", () => {
    const hasher = new KeyHasher(1);
    const bytes = Buffer.alloc(4);
    const numbered = new Numbered((number) => {
      bytes.writeUInt32LE(number);
      return hasher.hash(bytes, 0, 4);
    });
    const bytesPerKey = (): number => numbered.index.usedBytes / numbered.index.size;
    const growing: number[] = [];
    const shrinking: number[] = [];
    for (let number = 0; number < 60_000; number += 1) {
      numbered.add(number);
      growing.push(number < 5000 ? 0 : bytesPerKey());
    }
    for (let number = 0; number < 55_000; number += 1) {
      numbered.remove(number);
      shrinking.push(bytesPerKey());
    }
    expect(growing.reduce((most, bytes) => Math.max(most, bytes))).toBeLessThan(13);
    expect(shrinking.reduce((most, bytes) => Math.max(most, bytes))).toBeLessThan(17);
    numbered.check();
  });

  it("walks in hash order and goes on exactly where it stopped", () => {
    const shape = fc.record({
      hashes: fc.uniqueArray(fc.integer({ min: 0, max: HASH_END - 1 }), { maxLength: 400 }),
      slots: fc.integer({ min: 1, max: 100 }),
      stopEvery: fc.integer({ min: 1, max: 50 }),
    });
    fc.assert(
      fc.property(shape, ({ hashes, slots, stopEvery }) => {
        const numbered = new Numbered((number) => hashes[number]);
        for (const number of hashes.keys()) {
          numbered.add(number);
        }
        const met: number[] = [];
        let from = 0;
        while (from < HASH_END) {
          const next = numbered.index.walk(from, slots, (_, hash) => {
            met.push(hash);
            return met.length % stopEvery !== 0;
          });
          expect(next).toBeGreaterThan(from);
          from = next;
        }
        expect(met).toEqual(hashes.toSorted((left, right) => left - right));
      }),
      { numRuns: 60 },
    );
  });

  it("notices a slot out of order (canary of its own check)", () => {
    const numbered = new Numbered((number) => number * 1000);
    for (let number = 0; number < 100; number += 1) {
      numbered.add(number);
    }
    numbered.check();
    const hashOf = (): number => 5;
    expect(() => numbered.index.checkInvariants(hashOf)).toThrow(/hash is not its key's/u);
    const reference = numbered.references.get(3)!;
    expect(() => numbered.index.remove(5, reference)).toThrow(/not in the index/u);
  });
});

describe("the hash of keys", () => {
  it("depends on every byte, the length and the seed, and not on where the key lies", () => {
    const one = new KeyHasher(1);
    const hashes = new Set<number>();
    for (let length = 0; length < 20; length += 1) {
      const key = Buffer.alloc(length);
      hashes.add(one.hash(key, 0, length));
      for (let at = 0; at < length; at += 1) {
        key[at] = 1;
        hashes.add(one.hash(key, 0, length));
        key[at] = 0;
      }
    }
    expect(hashes.size).toBe(20 + 190);
    const shifted = Buffer.from("..some key...");
    const key = Buffer.from("some key");
    expect(one.hash(shifted, 2, 10)).toBe(one.hash(key, 0, 8));
    for (const seed of [0, 2, 2 ** 32 + 1, 2 ** 53 - 1]) {
      expect(new KeyHasher(seed).hash(key, 0, 8)).not.toBe(one.hash(key, 0, 8));
    }
  });

  it("spreads numbered keys evenly: no 64th of the range is off by more than a fifth", () => {
    const hasher = new KeyHasher(99);
    const parts = new Uint32Array(64);
    for (let number = 0; number < 64_000; number += 1) {
      const key = Buffer.from(`user:${number}`);
      parts[Math.floor(hasher.hash(key, 0, key.length) / (HASH_END / 64))] += 1;
    }
    expect(parts.reduce((sum, part) => sum + part)).toBe(64_000);
    expect(Math.min(...parts)).toBeGreaterThan(800);
    expect(Math.max(...parts)).toBeLessThan(1200);
  });
});

describe("RANDOMKEY", () => {
  /** A fixed sequence of numbers in [0, 1). */
  function sequence(): () => number {
    let state = 1;
    return () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state / 2 ** 32;
    };
  }

  it("gives every key the same chance", () => {
    const keyspace = new Keyspace({ hashSeed: 7 });
    for (let number = 0; number < 100; number += 1) {
      setText(keyspace, `key:${number}`, "x");
    }
    const picked = new Map<string, number>();
    const random = sequence();
    for (let draw = 0; draw < 50_000; draw += 1) {
      const key = keyOf(keyspace, keyspace.randomKey(random, 0));
      picked.set(key, (picked.get(key) ?? 0) + 1);
    }
    expect(picked.size).toBe(100);
    expect(Math.min(...picked.values())).toBeGreaterThan(380);
    expect(Math.max(...picked.values())).toBeLessThan(620);
  });

  it("picks the same on a node that was restored, by the same numbers", () => {
    const keyspace = new Keyspace({ hashSeed: 7 });
    for (let number = 0; number < 3000; number += 1) {
      setText(keyspace, `key:${number}`, "x");
    }
    const copy = restored(snapshotOf(keyspace));
    const here = sequence();
    const there = sequence();
    for (let draw = 0; draw < 200; draw += 1) {
      expect(keyOf(copy, copy.randomKey(there, 0))).toBe(
        keyOf(keyspace, keyspace.randomKey(here, 0)),
      );
    }
  });

  it("finds the living among the expired, and nothing where nothing lives", () => {
    const keyspace = new Keyspace({ hashSeed: 7 });
    expect(keyspace.randomKey(sequence(), 0)).toBe(0);
    for (let number = 0; number < 1000; number += 1) {
      setText(keyspace, `key:${number}`, "x", { expireAtMs: 10 });
    }
    expect(keyspace.randomKey(sequence(), 11)).toBe(0);
    setText(keyspace, "living", "x");
    expect(keyOf(keyspace, keyspace.randomKey(sequence(), 11))).toBe("living");
  });
});
