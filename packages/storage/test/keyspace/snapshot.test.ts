import * as fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { KeyspaceError } from "../../src/keyspace/errors.ts";
import { Keyspace } from "../../src/keyspace/keyspace.ts";
import { SnapshotWriter } from "../../src/keyspace/snapshot-writer.ts";
import { apply, operations, type Operation } from "./operations.ts";
import { CollectedBytes, finish, restored, snapshotOf } from "./snapshot-taking.ts";
import { expectSame, findText, removeText, setText, Twin, valueOf } from "./twin.ts";

const START_MS = 1_800_000_000_000;

type Step = Operation | { kind: "slice"; slots: number; bytes: number };

const slices = fc.record({
  kind: fc.constant("slice" as const),
  slots: fc.integer({ min: 1, max: 400 }),
  bytes: fc.integer({ min: 1, max: 9000 }),
});

const scripts = fc.record({
  before: fc.array(operations, { maxLength: 60, size: "max" }),
  during: fc.array(
    fc.oneof({ weight: 2, arbitrary: operations }, { weight: 1, arbitrary: slices }),
    { maxLength: 80, size: "max" },
  ),
});

/** Takes a snapshot while `during` happens and compares what it holds with the state at its beginning. */
function run(script: { before: readonly Operation[]; during: readonly Step[] }): void {
  const pair = { keyspace: new Keyspace({ hashSeed: 7 }), twin: new Twin(), nowMs: START_MS };
  for (const operation of script.before) {
    apply(pair, operation);
  }
  const twinThen = pair.twin.clone();
  const hashThen = pair.keyspace.stateHash();
  const snapshot = pair.keyspace.beginSnapshot();
  const out = new CollectedBytes();
  for (const step of script.during) {
    if (step.kind === "slice") {
      out.beginSlice();
      snapshot.step(out, step);
    } else {
      apply(pair, step);
    }
  }
  const copy = restored(finish(snapshot, out), [1, 7, 4096, 3, 100_000]);
  copy.checkInvariants();
  expectSame(copy, twinThen);
  expect(copy.stateHash()).toBe(hashThen);
  pair.keyspace.checkInvariants();
  expectSame(pair.keyspace, pair.twin);
  // The next one sees all that happened, so no entry was left with a wrong epoch.
  expectSame(restored(snapshotOf(pair.keyspace)), pair.twin);
}

function filled(count: number): Keyspace {
  const keyspace = new Keyspace({ hashSeed: 7 });
  for (let number = 0; number < count; number += 1) {
    setText(keyspace, `key:${number}`, `value ${number}`, { expireAtMs: number % 5 });
  }
  return keyspace;
}

describe("a snapshot", () => {
  it("holds the state of its beginning, byte for byte, whatever is written meanwhile", () => {
    expect(() => fc.assert(fc.property(scripts, run), { numRuns: 50 })).not.toThrow();
  });

  it("would be caught if a write did not save the old image (canary)", () => {
    const mustSave = vi.spyOn(SnapshotWriter.prototype, "mustSave").mockReturnValue(false);
    const script = {
      before: [{ kind: "grow", count: 100, first: 0 } as const],
      during: [{ kind: "shrink", count: 50, first: 0 } as const],
    };
    try {
      expect(() => run(script)).toThrow(/misses or repeats/u);
    } finally {
      mustSave.mockRestore();
    }
    run(script);
  });

  it("would be caught if it took in a key made after its beginning (canary)", () => {
    const keyspace = filled(10);
    const snapshot = keyspace.beginSnapshot();
    const ref = setText(keyspace, "new", "x");
    const out = new CollectedBytes();
    const writer = snapshot as SnapshotWriter;
    writer.store.entries.setEpoch(ref, 0);
    expect(() => finish(snapshot, out)).toThrow(/misses or repeats/u);
  });

  it("goes on with the old state after a clear, and lets it go at the end", () => {
    const keyspace = filled(5000);
    const hashThen = keyspace.stateHash();
    const usedBefore = keyspace.usedBytes;
    const snapshot = keyspace.beginSnapshot();
    const out = new CollectedBytes();
    snapshot.step(out, { slots: 100, bytes: 65_536 });
    keyspace.clear();
    expect(keyspace.size).toBe(0);
    expect(keyspace.usedBytes).toBeGreaterThan(usedBefore - 1);
    setText(keyspace, "key:1", "another");
    expect(restored(finish(snapshot, out)).stateHash()).toBe(hashThen);
    removeText(keyspace, "key:1");
    expect(keyspace.usedBytes).toBe(new Keyspace({ hashSeed: 7 }).usedBytes);
  });

  it("takes no more bytes and slots in a slice than it is given, but for one entry", () => {
    const keyspace = filled(3000);
    const snapshot = keyspace.beginSnapshot();
    const out = new CollectedBytes();
    const before = out.bytes().length;
    snapshot.step(out, { slots: 50, bytes: 1_000_000 });
    // 50 slots hold 50 entries at most, of less than 50 bytes each here.
    expect(out.bytes().length - before).toBeLessThan(50 * 50);
    out.beginSlice();
    snapshot.step(out, { slots: 1_000_000, bytes: 500 });
    expect(out.length).toBeLessThan(500 + 50);
    snapshot.cancel();
  });

  it("writes a long value in slices and keeps its bytes while it is changed in place", () => {
    const keyspace = new Keyspace({ hashSeed: 7 });
    const long = "x".repeat(1_000_000);
    setText(keyspace, "long", long);
    const snapshot = keyspace.beginSnapshot();
    const out = new CollectedBytes();
    for (let slice = 0; slice < 5; slice += 1) {
      out.beginSlice();
      expect(snapshot.step(out, { slots: 100, bytes: 10_000 })).toBe(false);
      expect(out.length).toBeLessThanOrEqual(10_000);
    }
    const ref = keyspace.resizeString(findText(keyspace, "long", 0), long.length);
    keyspace
      .valueBuffer(ref)
      .fill("y", keyspace.valueStart(ref), keyspace.valueStart(ref) + 500_000);
    const copy = restored(finish(snapshot, out));
    expect(valueOf(copy, findText(copy, "long", 0)).toString()).toBe(long);
    expect(valueOf(keyspace, ref).toString()).toBe("y".repeat(500_000) + "x".repeat(500_000));
  });

  it("counts old images as used memory until they are written", () => {
    const keyspace = filled(1000);
    const before = keyspace.usedBytes;
    const snapshot = keyspace.beginSnapshot();
    for (let number = 0; number < 1000; number += 1) {
      setText(keyspace, `key:${number}`, `other ${number}`, { expireAtMs: number % 5 });
    }
    expect(keyspace.usedBytes).toBeGreaterThan(before + 1000 * 20);
    finish(snapshot, new CollectedBytes());
    expect(keyspace.usedBytes).toBe(before);
  });

  it("of an empty keyspace restores to an empty keyspace", () => {
    const copy = restored(snapshotOf(new Keyspace({ hashSeed: 7 })), [1]);
    expect(copy.size).toBe(0);
  });

  it("is one at a time; cancelling lets the next one begin", () => {
    const keyspace = filled(100);
    const snapshot = keyspace.beginSnapshot();
    expect(() => keyspace.beginSnapshot()).toThrow(
      expect.objectContaining({ code: "SNAPSHOT_RUNNING" }),
    );
    snapshot.cancel();
    snapshot.cancel();
    const step = (): boolean => snapshot.step(new CollectedBytes(), { slots: 1, bytes: 1 });
    expect(step).toThrow(KeyspaceError);
    expect(step).toThrow(expect.objectContaining({ code: "SNAPSHOT_CANCELLED" }));
    expect(restored(snapshotOf(keyspace)).stateHash()).toBe(keyspace.stateHash());
  });

  it("is whole after 70,000 cancelled ones, when epochs come round again", () => {
    const keyspace = filled(20);
    for (let number = 0; number < 70_000; number += 1) {
      keyspace.beginSnapshot().cancel();
      if (number % 1000 === 0) {
        setText(keyspace, `later:${number}`, "x");
      }
      if (number % 7777 === 0) {
        const snapshot = keyspace.beginSnapshot();
        snapshot.step(new CollectedBytes(), { slots: 10, bytes: 1000 });
        snapshot.cancel();
      }
    }
    const copy = restored(snapshotOf(keyspace));
    expect(copy.stateHash()).toBe(keyspace.stateHash());
  });
});
