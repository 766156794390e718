import { describe, expect, it } from "vitest";
import { Keyspace } from "../../src/keyspace/keyspace.ts";
import { findText, keyOf, removeText, setText } from "./twin.ts";

function collect(
  keyspace: Keyspace,
  nowMs: number,
  budget: { limit: number; examineMax: number },
): string[] {
  const keys: string[] = [];
  keyspace.collectExpired(nowMs, budget, (ref) => keys.push(keyOf(keyspace, ref)));
  return keys;
}

const ALL = { limit: 1_000_000, examineMax: 1_000_000 };

describe("expiry", () => {
  it("lets a key live through the millisecond of its expiry, as Redis does", () => {
    const keyspace = new Keyspace({ hashSeed: 7 });
    setText(keyspace, "a", "1", { expireAtMs: 1000 });
    expect(findText(keyspace, "a", 1000)).not.toBe(0);
    expect(findText(keyspace, "a", 1001)).toBe(0);
    expect(keyspace.size).toBe(1);
    expect(collect(keyspace, 1000, ALL)).toEqual([]);
    expect(collect(keyspace, 1001, ALL)).toEqual(["a"]);
  });

  it("hides expired keys from every read and removes them only in writes", () => {
    const keyspace = new Keyspace({ hashSeed: 7 });
    setText(keyspace, "a", "1", { expireAtMs: 1000 });
    keyspace.forEach(2000, () => expect.unreachable());
    expect(keyspace.scan(0n, 10, 2000, () => expect.unreachable())).toBe(0n);
    expect(keyspace.randomKey(() => 0.5, 2000)).toBe(0);
    expect(keyspace.size).toBe(1);
    expect(removeText(keyspace, "a", 2000)).toBe(false);
    expect(keyspace.size).toBe(0);
    expect(keyspace.volatileSize).toBe(0);
  });

  it("does not let a key that is set again keep an expiry that has passed", () => {
    const keyspace = new Keyspace({ hashSeed: 7 });
    setText(keyspace, "a", "1", { expireAtMs: 1000 });
    const ref = setText(keyspace, "a", "2", { expireAtMs: -1, nowMs: 1001 });
    expect(keyspace.expireAtMs(ref)).toBe(0);
    setText(keyspace, "b", "1", { expireAtMs: 1000 });
    const kept = setText(keyspace, "b", "2", { expireAtMs: -1, nowMs: 1000 });
    expect(keyspace.expireAtMs(kept)).toBe(1000);
  });

  it("collects in rotation, never looking at more than it may and never returning more", () => {
    const keyspace = new Keyspace({ hashSeed: 7 });
    for (let number = 0; number < 10_000; number += 1) {
      setText(keyspace, `key:${number}`, "x", { expireAtMs: 5000 });
    }
    expect(collect(keyspace, 9000, { limit: 10, examineMax: 1000 })).toHaveLength(10);
    expect(collect(keyspace, 9000, { limit: 1000, examineMax: 10 })).toHaveLength(10);
    expect(collect(keyspace, 9000, { limit: 0, examineMax: 10 })).toHaveLength(0);
    const met = new Set<string>();
    for (let call = 0; call < 100; call += 1) {
      for (const key of collect(keyspace, 9000, { limit: 100, examineMax: 100 })) {
        expect(met.has(key)).toBe(false);
        met.add(key);
      }
    }
    expect(met.size).toBe(10_000);
    expect(collect(keyspace, 5000, ALL)).toEqual([]);
  });

  it("looks at keys with an expiry only", () => {
    const keyspace = new Keyspace({ hashSeed: 7 });
    for (let number = 0; number < 1000; number += 1) {
      setText(keyspace, `key:${number}`, "x");
    }
    setText(keyspace, "volatile", "x", { expireAtMs: 10 });
    expect(collect(keyspace, 11, { limit: 10, examineMax: 1 })).toEqual(["volatile"]);
  });

  it("finds all that expired after keys were removed, persisted and given other expiries", () => {
    const keyspace = new Keyspace({ hashSeed: 7 });
    for (let number = 0; number < 9000; number += 1) {
      setText(keyspace, `key:${number}`, "x", { expireAtMs: 1000 });
    }
    const expected = new Set<string>();
    for (let number = 0; number < 9000; number += 1) {
      const key = `key:${number}`;
      const ref = findText(keyspace, key, 0);
      if (number % 4 === 0) {
        removeText(keyspace, key);
      } else if (number % 4 === 1) {
        keyspace.setExpireAt(ref, 0);
      } else if (number % 4 === 2) {
        keyspace.setExpireAt(ref, 99_000);
      } else {
        expected.add(key);
      }
    }
    keyspace.checkInvariants();
    expect(keyspace.volatileSize).toBe(4500);
    expect(new Set(collect(keyspace, 2000, ALL))).toEqual(expected);
  });

  it("works for times beyond 32-bit seconds and beyond 2^53 ms", () => {
    const keyspace = new Keyspace({ hashSeed: 7 });
    const farMs = 2 ** 63;
    setText(keyspace, "far", "x", { expireAtMs: farMs });
    setText(keyspace, "later", "x", { expireAtMs: 2 ** 45 });
    expect(keyspace.expireAtMs(findText(keyspace, "far", 0))).toBe(farMs);
    expect(collect(keyspace, 2 ** 44, ALL)).toEqual([]);
    expect(collect(keyspace, 2 ** 46, ALL)).toEqual(["later"]);
    keyspace.checkInvariants();
  });

  it("refuses an expiry that is no point in time", () => {
    const keyspace = new Keyspace({ hashSeed: 7 });
    const ref = setText(keyspace, "a", "1");
    const bad = expect.objectContaining({ code: "BAD_EXPIRY" });
    for (const expireAtMs of [-2, NaN, Infinity]) {
      expect(() => keyspace.setExpireAt(ref, expireAtMs)).toThrow(bad);
      expect(() => setText(keyspace, "a", "2", { expireAtMs })).toThrow(bad);
    }
    keyspace.checkInvariants();
  });

  it("averages the remaining life of living keys", () => {
    const keyspace = new Keyspace({ hashSeed: 7 });
    expect(keyspace.averageTtlMs(0)).toBe(0);
    for (let number = 0; number < 2000; number += 1) {
      setText(keyspace, `key:${number}`, "x", { expireAtMs: number % 2 === 0 ? 3000 : 5000 });
    }
    setText(keyspace, "gone", "x", { expireAtMs: 500 });
    setText(keyspace, "stays", "x");
    const averageMs = keyspace.averageTtlMs(1000);
    expect(averageMs).toBeGreaterThanOrEqual(2000);
    expect(averageMs).toBeLessThanOrEqual(4000);
  });
});

describe("the access clock", () => {
  it("counts seconds since the last write or touch", () => {
    const keyspace = new Keyspace({ hashSeed: 7 });
    const nowMs = 1_800_000_000_000;
    const ref = setText(keyspace, "a", "1", { nowMs });
    expect(keyspace.idleSeconds(ref, nowMs + 90_999)).toBe(90);
    keyspace.touch(ref, nowMs + 60_000);
    expect(keyspace.idleSeconds(ref, nowMs + 90_000)).toBe(30);
    expect(keyspace.idleSeconds(ref, nowMs)).toBe(0);
  });
});
