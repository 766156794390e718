import { renameSync, truncateSync, unlinkSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { REPEAT_KEYS_MAX } from "../../src/audit/limits.ts";
import { RepeatLimiter } from "../../src/audit/repeat-limiter.ts";
import {
  auditFiles,
  FaultyFileSystem,
  note,
  recordsOnDisk,
  refusedLogin,
  startWorld,
  until,
  written,
  type ReadRecord,
} from "./trail-world.ts";

const MEBIBYTE = 1024 * 1024;

function expectUnbroken(records: readonly ReadRecord[]): void {
  expect(records.map(({ seq }) => seq)).toEqual(records.map((_, at) => at + 1));
  for (const [at, record] of records.slice(1).entries()) expect(record.prev).toBe(records[at].hash);
}

/** Time passes until the trail has written everything. */
async function recover(world: Awaited<ReturnType<typeof startWorld>>): Promise<void> {
  await until(() => {
    world.clock.advance(100);
    return world.trail.status().sinks[0].queuedRecords === 0;
  }, "recovering");
}

describe("A full disk", () => {
  it("keeps records in memory, writes them once there is room, and leaves no half line (S52)", async () => {
    const fileSystem = new FaultyFileSystem();
    const world = await startWorld({ fileSystem });
    const { trail, dataDirectory } = world;
    await written(trail);
    fileSystem.writeError = "ENOSPC";
    trail.record(note("one"));
    trail.record(note("two"));
    await until(() => trail.status().sinks[0].failure !== null, "the failure");
    expect(trail.status().sinks[0]).toMatchObject({ failure: "ENOSPC: no room" });
    expect(trail.refusal()).toBeNull();
    fileSystem.writeError = null;
    await recover(world);
    trail.record(note("three"));
    await trail.close();
    const records = recordsOnDisk(dataDirectory);
    expectUnbroken(records);
    expect(records.map(({ action }) => action)).toEqual([
      "audit.chain.started",
      "test.note",
      "test.note",
      "audit.file.failed",
      "audit.file.recovered",
      "test.note",
    ]);
  });

  it("audit-on-failure drop: what finds no room is counted, and a record says how many (S52)", async () => {
    const fileSystem = new FaultyFileSystem();
    const world = await startWorld({ fileSystem, settings: { auditQueueBytesMax: 20_000 } });
    const { trail, dataDirectory } = world;
    await written(trail);
    fileSystem.writeError = "ENOSPC";
    for (let at = 0; at < 100; at++) trail.record(note(String(at)));
    const { dropped } = trail.status();
    expect(dropped).toBeGreaterThan(50);
    await until(() => trail.status().sinks[0].failure !== null, "the failure");
    fileSystem.writeError = null;
    await recover(world);
    world.clock.advance(1000);
    await written(trail);
    await trail.close();
    const records = recordsOnDisk(dataDirectory);
    expectUnbroken(records);
    const notes = records.filter(({ action }) => action === "test.note").length;
    const told = records.filter(({ action }) => action === "audit.dropped");
    const counted = told.reduce((sum, record) => sum + (record["count"] as number), 0);
    expect(counted).toBe(trail.status().dropped);
    expect(counted).toBeGreaterThanOrEqual(100 - notes);
  });

  it("audit-on-failure block: commands that have to be in the trail are refused until it is written (S52)", async () => {
    const fileSystem = new FaultyFileSystem();
    const world = await startWorld({ fileSystem, settings: { auditOnFailure: "block" } });
    const { trail } = world;
    await written(trail);
    expect(trail.refusal()).toBeNull();
    fileSystem.writeError = "ENOSPC";
    trail.record(note("x"));
    await until(() => trail.refusal() !== null, "the refusal");
    expect(trail.refusal()).toMatch(
      /^AUDITFAIL the audit trail can not be written \(ENOSPC: no room\)/,
    );
    expect(trail.status().refusal).toBe(trail.refusal());
    trail.applySettings({ auditKeys: "hash", auditOnFailure: "drop" });
    expect(trail.refusal()).toBeNull();
    trail.applySettings({ auditKeys: "hash", auditOnFailure: "block" });
    fileSystem.writeError = null;
    await recover(world);
    expect(trail.refusal()).toBeNull();
    await trail.close();
  });

  it("block also refuses while the disk is only slow, and keeps half of the queue for what can not be refused", async () => {
    const fileSystem = new FaultyFileSystem();
    const settings = { auditOnFailure: "block", auditQueueBytesMax: MEBIBYTE } as const;
    const { trail } = await startWorld({ fileSystem, settings });
    await written(trail);
    const gate = Promise.withResolvers<void>();
    fileSystem.gate = gate.promise;
    while (trail.refusal() === null) trail.record(note("x".repeat(500)));
    expect(trail.refusal()).toContain("the disk is too slow");
    const { queuedBytes } = trail.status().sinks[0];
    expect(queuedBytes).toBeLessThan(MEBIBYTE / 2 + 4096);
    trail.record(note("still taken"));
    expect(trail.status()).toMatchObject({ dropped: 0 });
    gate.resolve();
    await written(trail);
    expect(trail.refusal()).toBeNull();
    await trail.close();
  });

  it("a close does not wait for ever, and says how much was left", async () => {
    const fileSystem = new FaultyFileSystem();
    const { trail, clock, complaints } = await startWorld({ fileSystem });
    await written(trail);
    const gate = Promise.withResolvers<void>();
    fileSystem.gate = gate.promise;
    trail.record(note("stuck"));
    const closed = trail.close();
    clock.advance(10_000);
    await closed;
    expect(complaints).toContain("audit records could not be written");
    gate.resolve();
  });
});

describe("Syncing (audit-fsync)", () => {
  it("interval: once a second when there is something new, and not otherwise", async () => {
    const fileSystem = new FaultyFileSystem();
    const { trail, clock } = await startWorld({ fileSystem });
    await written(trail);
    const before = fileSystem.syncs;
    trail.record(note("x"));
    await written(trail);
    for (let at = 0; at < 40; at++) {
      clock.advance(250);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => fileSystem.syncs > before, "the sync");
    expect(fileSystem.syncs).toBeLessThanOrEqual(before + 2);
    await trail.close();
  });

  it("a disk that hangs does not make syncs pile up", async () => {
    const fileSystem = new FaultyFileSystem();
    const { trail, clock } = await startWorld({ fileSystem });
    await written(trail);
    const gate = Promise.withResolvers<void>();
    fileSystem.syncGate = gate.promise;
    trail.record(note("x"));
    await written(trail);
    const before = fileSystem.syncs;
    for (let at = 0; at < 400; at++) clock.advance(250);
    await until(() => fileSystem.syncs === before + 1, "the sync");
    gate.resolve();
    await trail.close();
    expect(fileSystem.syncs).toBe(before + 1);
  });

  it("always: after every write", async () => {
    const fileSystem = new FaultyFileSystem();
    const { trail } = await startWorld({ fileSystem, settings: { auditFsync: "always" } });
    for (let at = 0; at < 3; at++) {
      trail.record(note("x"));
      await written(trail);
    }
    await until(() => fileSystem.syncs >= 3, "the syncs");
    await trail.close();
  });

  it("a sync that fails gives the file up: it is never believed again", async () => {
    const fileSystem = new FaultyFileSystem();
    const world = await startWorld({ fileSystem, settings: { auditFsync: "always" } });
    const { trail, dataDirectory } = world;
    await written(trail);
    fileSystem.syncError = "EIO";
    trail.record(note("unsure"));
    await until(() => trail.status().sinks[0].failure !== null, "the failure");
    fileSystem.syncError = null;
    trail.record(note("sure"));
    await recover(world);
    await trail.close();
    expect(auditFiles(dataDirectory)).toHaveLength(2);
    const records = recordsOnDisk(dataDirectory);
    expectUnbroken(records);
    expect(records.map(({ action }) => action)).toContain("audit.file.failed");
  });
});

describe("Somebody at the files of a running node", () => {
  it.each<[string, (path: string) => void]>([
    ["removed", (path) => unlinkSync(path)],
    ["moved away", (path) => renameSync(path, `${path}.old`)],
    ["cut", (path) => truncateSync(path, 10)],
    [
      "replaced",
      (path) => {
        unlinkSync(path);
        writeFileSync(path, "something else entirely, and long enough ".repeat(100));
      },
    ],
  ])(
    "a file that is %s is noticed within a second and recorded in a new one",
    async (_how, tamper) => {
      const { trail, clock, dataDirectory, complaints } = await startWorld();
      trail.record(note("x"));
      await written(trail);
      tamper(auditFiles(dataDirectory)[0]);
      for (let at = 0; at < 5; at++) {
        clock.advance(250);
        await new Promise((resolve) => setImmediate(resolve));
      }
      await until(() => trail.status().head.sequence >= 3, "noticing");
      await written(trail);
      await trail.close();
      expect(complaints).toContain("an audit file was changed from outside");
      const last = auditFiles(dataDirectory).at(-1)!;
      expect(last).toContain("audit-0000000000000003.jsonl");
      expect(recordsOnDiskOf(dataDirectory, last)[0]).toMatchObject({
        action: "audit.file.tampered",
        severity: "alert",
        seq: 3,
      });
    },
  );
});

function recordsOnDiskOf(dataDirectory: string, path: string): ReadRecord[] {
  for (const file of auditFiles(dataDirectory)) if (file !== path) unlinkSync(file);
  return recordsOnDisk(dataDirectory);
}

describe("Repeated failures (S52, S26)", () => {
  it("of one address are counted after the first, and one record says how many", async () => {
    const { trail, clock, dataDirectory } = await startWorld({ settings: { auditRepeatLimit: 3 } });
    for (let at = 0; at < 50; at++)
      trail.record(refusedLogin(`10.0.0.9:${1000 + at}`, `user${at}`));
    trail.record(refusedLogin("10.0.0.10:1", "bob"));
    expect(trail.status()).toMatchObject({ repeated: 47, dropped: 0 });
    clock.advance(10_250);
    await written(trail);
    await trail.close();
    const records = recordsOnDisk(dataDirectory).filter(({ action }) => action === "auth.refused");
    expect(records).toHaveLength(5);
    expect(records[3]).toMatchObject({ user: "bob", count: 1 });
    expect(records[4]).toMatchObject({
      count: 47,
      user: "user49",
      reason: "repeated 47 times within 10 seconds: wrong password",
    });
  });

  it("a new window lets the first ones through again, and successes are never counted away", async () => {
    const { trail, clock } = await startWorld({ settings: { auditRepeatLimit: 1 } });
    const before = trail.status().records;
    trail.record(refusedLogin("10.0.0.9:1"));
    clock.advance(10_000);
    trail.record(refusedLogin("10.0.0.9:2"));
    for (let at = 0; at < 20; at++) {
      trail.record({ ...refusedLogin("10.0.0.9:3"), outcome: "success" });
    }
    expect(trail.status().records - before).toBe(22);
    await trail.close();
  });

  it("0 records each", async () => {
    const { trail } = await startWorld({ settings: { auditRepeatLimit: 0 } });
    for (let at = 0; at < 100; at++) trail.record(refusedLogin("10.0.0.9:1"));
    expect(trail.status()).toMatchObject({ repeated: 0, records: 101 });
    await trail.close();
  });

  it("a stop tells what was counted so far", async () => {
    const { trail, dataDirectory } = await startWorld({ settings: { auditRepeatLimit: 1 } });
    for (let at = 0; at < 5; at++) trail.record(refusedLogin("10.0.0.9:1"));
    await trail.close();
    expect(recordsOnDisk(dataDirectory).at(-1)).toMatchObject({ count: 4 });
  });

  it("many addresses at once take bounded memory and lose no count", () => {
    let counted = 0;
    const limiter = new RepeatLimiter(1, (_event, count) => {
      counted += count;
    });
    let admitted = 0;
    const total = REPEAT_KEYS_MAX * 3;
    for (let at = 0; at < total; at++) {
      const address = `10.${at >> 16}.${(at >> 8) & 255}.${at & 255}:1`;
      for (let again = 0; again < 2; again++) {
        if (limiter.admit(refusedLogin(address), 0)) admitted++;
      }
    }
    limiter.expire(Number.POSITIVE_INFINITY);
    expect(admitted).toBe(total);
    expect(counted).toBe(total);
  });
});
