import { describe, expect, it } from "vitest";
import { Keyspace } from "../../src/keyspace/keyspace.ts";
import { beginStateHash } from "../../src/keyspace/streamed-state-hash.ts";
import { SeededRandom } from "../disk/seeded-random.ts";

const NOW_MS = 1_700_000_000_000;

function set(keyspace: Keyspace, key: string, value: Uint8Array, expireAtMs = 0): void {
  const keyBytes = Buffer.from(key);
  keyspace.setString(
    { buffer: keyBytes, start: 0, end: keyBytes.length },
    { buffer: value, start: 0, end: value.length },
    { expireAtMs, nowMs: NOW_MS },
  );
}

function filled(random: SeededRandom, count: number): Keyspace {
  const keyspace = new Keyspace({ hashSeed: 3 });
  for (let at = 0; at < count; at += 1) {
    const expireAtMs = random.chance(0.3) ? NOW_MS + random.between(1, 1e9) : 0;
    const sizeBytes = random.chance(0.01) ? random.between(16_384, 20_000) : random.between(0, 90);
    set(keyspace, random.chance(0.02) ? "" : `key ${at}`, random.bytes(sizeBytes), expireAtMs);
  }
  return keyspace;
}

describe("the hash of a keyspace in slices (R32)", () => {
  it("is the hash of the whole at the moment it began, however it is written to meanwhile", () => {
    for (let seed = 1; seed <= 10; seed += 1) {
      const random = new SeededRandom(seed);
      const keyspace = filled(random, random.between(0, 900));
      const whole = keyspace.stateHash();
      const walk = beginStateHash(keyspace);
      let slices = 0;
      while (!walk.step({ slots: random.between(1, 40), bytes: random.between(1, 4000) })) {
        slices += 1;
        for (let writes = random.between(0, 5); writes > 0; writes -= 1) {
          const key = `key ${random.between(0, 1200)}`;
          if (random.chance(0.3)) {
            keyspace.remove(Buffer.from(key), 0, key.length, NOW_MS);
          } else {
            set(keyspace, key, random.bytes(random.between(0, 300)));
          }
        }
      }
      expect(walk.hex(), `seed ${seed}, ${slices} slices`).toBe(whole);
      expect(keyspace.isWalked).toBe(false);
    }
  });

  it("differs when one bit of one value is another one", () => {
    const keyspace = filled(new SeededRandom(5), 300);
    const before = keyspace.stateHash();
    const key = Buffer.from("key 7");
    const ref = keyspace.find(key, 0, key.length, NOW_MS);
    keyspace.valueBuffer(ref)[keyspace.valueStart(ref)] ^= 1;
    const walk = beginStateHash(keyspace);
    while (!walk.step({ slots: 100, bytes: 10_000 })) {
      // another slice
    }
    expect(walk.hex()).not.toBe(before);
  });

  it("gives the keyspace free when it is given up", () => {
    const keyspace = filled(new SeededRandom(6), 300);
    const walk = beginStateHash(keyspace);
    walk.step({ slots: 10, bytes: 1000 });
    expect(keyspace.isWalked).toBe(true);
    expect(() => keyspace.beginSnapshot()).toThrow("is being taken");
    walk.cancel();
    expect(keyspace.isWalked).toBe(false);
  });
});
