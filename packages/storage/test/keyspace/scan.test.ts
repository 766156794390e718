import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HASH_END } from "../../src/keyspace/hash.ts";
import { Keyspace } from "../../src/keyspace/keyspace.ts";
import { restored, snapshotOf } from "./snapshot-taking.ts";
import { keyOf, removeText, setText } from "./twin.ts";

/** Calls `between` after each call of SCAN; returns how often each key was met. */
function scanAll(
  keyspace: Keyspace,
  options: { readonly count: number; readonly between?: (call: number) => void },
): Map<string, number> {
  const met = new Map<string, number>();
  let cursor = 0n;
  let calls = 0;
  do {
    cursor = keyspace.scan(cursor, options.count, 0, (ref) => {
      const key = keyOf(keyspace, ref);
      met.set(key, (met.get(key) ?? 0) + 1);
    });
    calls += 1;
    options.between?.(calls);
  } while (cursor !== 0n && calls < 1_000_000);
  return met;
}

function filled(count: number): Keyspace {
  const keyspace = new Keyspace({ hashSeed: 7 });
  for (let number = 0; number < count; number += 1) {
    setText(keyspace, `stable:${number}`, "x");
  }
  return keyspace;
}

describe("SCAN", () => {
  it("meets every key once when nothing changes, whatever the count", () => {
    const keyspace = filled(5000);
    for (const count of [1, 2, 10, 999, 100_000]) {
      const met = scanAll(keyspace, { count });
      expect(met.size).toBe(5000);
      expect(Math.max(...met.values())).toBe(1);
    }
  });

  it("meets every key that is there from start to end, while the index grows and shrinks", () => {
    const change = fc.record({
      at: fc.integer({ min: 1, max: 60 }),
      add: fc.boolean(),
      count: fc.integer({ min: 1, max: 8000 }),
    });
    const shape = fc.record({
      stable: fc.integer({ min: 0, max: 3000 }),
      other: fc.integer({ min: 0, max: 12_000 }),
      count: fc.integer({ min: 1, max: 300 }),
      changes: fc.array(change, { maxLength: 12 }),
    });
    fc.assert(
      fc.property(shape, ({ stable, other, count, changes }) => {
        const keyspace = filled(stable);
        let last = 0;
        const grow = (by: number): void => {
          for (let number = 0; number < by; number += 1, last += 1) {
            setText(keyspace, `other:${last}`, "y");
          }
        };
        grow(other);
        const between = (call: number): void => {
          for (const one of changes.filter(({ at }) => at === call)) {
            if (one.add) {
              grow(one.count);
            } else {
              for (let number = 0; number < one.count && last > 0; number += 1) {
                last -= 1;
                removeText(keyspace, `other:${last}`);
              }
            }
          }
        };
        const met = scanAll(keyspace, { count, between });
        const stableMet = [...met].filter(([key]) => key.startsWith("stable:"));
        expect(stableMet).toHaveLength(stable);
        expect(stableMet.filter(([, times]) => times !== 1)).toEqual([]);
        keyspace.checkInvariants();
      }),
      { numRuns: 25 },
    );
  });

  it("would be caught if a cursor skipped (canary)", () => {
    const keyspace = filled(500);
    const scan = keyspace.scan.bind(keyspace);
    keyspace.scan = (cursor, count, nowMs, visit) => {
      const next = scan(cursor, count, nowMs, visit);
      return next === 0n ? 0n : next + 2n ** 24n;
    };
    expect(scanAll(keyspace, { count: 10 }).size).toBeLessThan(500);
  });

  it("visits about as many keys as asked for", () => {
    const keyspace = filled(5000);
    let visited = 0;
    keyspace.scan(0n, 100, 0, () => (visited += 1));
    expect(visited).toBeGreaterThanOrEqual(100);
    expect(visited).toBeLessThan(105);
  });

  it("goes the same way on a node that was restored as on one that replayed", () => {
    const keyspace = filled(4000);
    for (let number = 0; number < 3500; number += 1) {
      removeText(keyspace, `stable:${number}`);
    }
    const copy = restored(snapshotOf(keyspace));
    let cursor = 0n;
    do {
      const here: string[] = [];
      const there: string[] = [];
      const next = keyspace.scan(cursor, 7, 0, (ref) => here.push(keyOf(keyspace, ref)));
      expect(copy.scan(cursor, 7, 0, (ref) => there.push(keyOf(copy, ref)))).toBe(next);
      expect(there).toEqual(here);
      cursor = next;
    } while (cursor !== 0n);
  });

  it("ends at a cursor that was never handed out, and takes any 64-bit number", () => {
    const keyspace = filled(100);
    for (const cursor of [BigInt(HASH_END), 2n ** 63n, 2n ** 64n - 1n, -1n]) {
      expect(keyspace.scan(cursor, 10, 0, () => expect.unreachable())).toBe(0n);
    }
    expect(keyspace.scan(BigInt(HASH_END) - 1n, 10, 0, () => undefined)).toBe(0n);
  });

  it("returns all keys of one hash in one call", () => {
    const keyspace = new Keyspace({ hashSeed: 7 }, { hash: () => 77 });
    for (let number = 0; number < 50; number += 1) {
      setText(keyspace, `key:${number}`, "x");
    }
    let visited = 0;
    const cursor = keyspace.scan(0n, 10, 0, () => (visited += 1));
    expect(visited).toBe(50);
    expect(keyspace.scan(cursor, 10, 0, () => expect.unreachable())).toBe(0n);
  });

  it("leaves out what has expired, without removing it", () => {
    const keyspace = new Keyspace({ hashSeed: 7 });
    for (let number = 0; number < 100; number += 1) {
      setText(keyspace, `key:${number}`, "x", { expireAtMs: 1000 + (number % 2) * 1000 });
    }
    let visited = 0;
    let cursor = 0n;
    do {
      cursor = keyspace.scan(cursor, 10, 1500, () => (visited += 1));
    } while (cursor !== 0n);
    expect(visited).toBe(50);
    expect(keyspace.size).toBe(100);
  });
});
