import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ACL_LOG_TEXT_BYTES_MAX, AclLog, type Denial } from "../../src/access/acl-log.ts";

function denial(parts: Partial<Denial> = {}): Denial {
  return { reason: "command", object: "get", username: "bob", clientInfo: "id=1", ...parts };
}

function logOf(lengthMax = 128): AclLog {
  return new AclLog(() => lengthMax);
}

describe("ACL LOG", () => {
  test("is empty at first", () => {
    expect(logOf().entries()).toEqual([]);
  });

  test("shows the newest first, each with its time and client", () => {
    const log = logOf();
    log.add(denial({ object: "get" }), 1000);
    log.add(denial({ object: "k", reason: "key", clientInfo: "id=2" }), 2000);
    expect(log.entries()).toEqual([
      {
        id: 1,
        count: 1,
        reason: "key",
        context: "toplevel",
        object: "k",
        username: "bob",
        createdAtMs: 2000,
        updatedAtMs: 2000,
        clientInfo: "id=2",
      },
      expect.objectContaining({ id: 0, object: "get", createdAtMs: 1000 }),
    ]);
  });

  test("counts equal denials in one entry, which moves to the front with its newest client", () => {
    const log = logOf();
    log.add(denial(), 1000);
    log.add(denial({ object: "set" }), 1500);
    log.add(denial({ clientInfo: "id=9" }), 2000);
    expect(log.entries()).toEqual([
      expect.objectContaining({
        id: 0,
        count: 2,
        createdAtMs: 1000,
        updatedAtMs: 2000,
        clientInfo: "id=9",
      }),
      expect.objectContaining({ id: 1, count: 1, object: "set" }),
    ]);
  });

  test.each<[string, Partial<Denial>]>([
    ["reason", { reason: "key" }],
    ["object", { object: "GET" }],
    ["user", { username: "alice" }],
  ])("another %s is another entry", (_name, difference) => {
    const log = logOf();
    log.add(denial(), 0);
    log.add(denial(difference), 0);
    expect(log.entries().map(({ count }) => count)).toEqual([1, 1]);
  });

  test("equal denials are one entry up to a minute apart, counted from the last of them", () => {
    const log = logOf();
    log.add(denial(), 0);
    log.add(denial(), 60_000);
    log.add(denial(), 120_000);
    log.add(denial(), 180_001);
    expect(log.entries().map(({ count }) => count)).toEqual([1, 3]);
  });

  test("only the ten newest entries are looked at for an equal one, as in Redis", () => {
    const log = logOf();
    for (let index = 0; index < 11; index++) log.add(denial({ object: `c${index}` }), 0);
    log.add(denial({ object: "c1" }), 0);
    expect(log.entries()[0]).toMatchObject({ object: "c1", count: 2 });
    log.add(denial({ object: "c0" }), 0);
    expect(log.entries()[0]).toMatchObject({ object: "c0", count: 1 });
    expect(log.entries()).toHaveLength(12);
  });

  test("acllog-max-len bounds it from the next denial on, and 0 keeps nothing", () => {
    let lengthMax = 3;
    const log = new AclLog(() => lengthMax);
    for (let index = 0; index < 5; index++) log.add(denial({ object: `c${index}` }), 0);
    expect(log.entries().map(({ object }) => object)).toEqual(["c4", "c3", "c2"]);
    lengthMax = 1;
    log.add(denial({ object: "c5" }), 0);
    expect(log.entries().map(({ object }) => object)).toEqual(["c5"]);
    lengthMax = 0;
    log.add(denial({ object: "c6" }), 0);
    expect(log.entries()).toEqual([]);
  });

  test("RESET empties it, and what comes after is counted anew", () => {
    const log = logOf();
    log.add(denial(), 0);
    log.reset();
    expect(log.entries()).toEqual([]);
    log.add(denial(), 1);
    expect(log.entries()).toEqual([expect.objectContaining({ id: 1, count: 1 })]);
  });

  test("no text of an entry is longer than the limit, whatever was sent", () => {
    const log = logOf();
    const long = "\xff".repeat(ACL_LOG_TEXT_BYTES_MAX + 1);
    log.add(denial({ object: long, username: long, clientInfo: long }), 0);
    const [entry] = log.entries();
    const kept = long.slice(1);
    expect([entry.object, entry.username, entry.clientInfo]).toEqual([kept, kept, kept]);
    log.add(denial({ object: kept, username: kept }), 0);
    expect(log.entries()).toEqual([expect.objectContaining({ count: 2 })]);
  });

  test("(F47) thousands of denials are all counted and stay within the bound", () => {
    const object = fc.integer({ min: 0, max: 20 }).map((number) => `c${number}`);
    const step = fc.record({ object, afterMs: fc.nat({ max: 70_000 }) });
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 300 }),
        fc.integer({ min: 1, max: 30 }),
        (steps, max) => {
          const log = logOf(max);
          let nowMs = 0;
          for (const { object: name, afterMs } of steps) {
            nowMs += afterMs;
            log.add(denial({ object: name }), nowMs);
            const entries = log.entries();
            expect(entries.length).toBeLessThanOrEqual(max);
            expect(entries[0]).toMatchObject({ object: name, updatedAtMs: nowMs });
            const times = entries.map(({ updatedAtMs }) => updatedAtMs);
            expect(times).toEqual(times.toSorted((a, b) => b - a));
          }
          const total = log.entries().reduce((sum, { count }) => sum + count, 0);
          expect(total).toBeLessThanOrEqual(steps.length);
          if (log.entries().length < max) expect(total).toBe(steps.length);
        },
      ),
    );
  });
});
