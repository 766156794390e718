import { chmodSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { AuditError } from "../../src/audit/errors.ts";
import {
  EARLY_EVENTS_MAX,
  FOLLOWERS_MAX,
  PAGE_RECORDS_MAX,
  READERS_MAX,
} from "../../src/audit/limits.ts";
import { Readers } from "../../src/audit/readers.ts";
import { NO_HASH } from "../../src/audit/record.ts";
import {
  auditDirectory,
  CLIENT,
  auditFiles,
  createWorld,
  newest,
  note,
  readRecords,
  recordsOnDisk,
  since,
  startWorld,
  temporaryDirectory,
  until,
  written,
} from "./trail-world.ts";

const actions = (records: readonly { readonly action: string }[]): string[] =>
  records.map(({ action }) => action);

describe("The trail on disk", () => {
  it("is on by default, readable by nobody else, and begins a chain (S50)", async () => {
    const { trail, dataDirectory } = await startWorld();
    trail.record(note("hello"));
    await trail.close();
    const [file] = auditFiles(dataDirectory);
    expect(file).toMatch(/\/audit\/audit-0000000000000001\.jsonl$/);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(auditDirectory(dataDirectory)).mode & 0o777).toBe(0o700);
    const records = recordsOnDisk(dataDirectory);
    expect(actions(records)).toEqual(["audit.chain.started", "test.note"]);
    expect(records[0]).toMatchObject({ seq: 1, prev: NO_HASH });
    expect(records[1]).toMatchObject({ seq: 2, prev: records[0].hash, reason: "hello" });
  });

  it("goes on with sequence and chain after a restart (S51)", async () => {
    const { trail, dataDirectory } = await startWorld();
    trail.record(note("before"));
    await trail.close();
    const second = await startWorld({ dataDirectory });
    second.trail.record(note("after"));
    await second.trail.close();
    const records = recordsOnDisk(dataDirectory);
    expect(records.map(({ seq }) => seq)).toEqual([1, 2, 3]);
    expect(records[2].prev).toBe(records[1].hash);
    expect(new Set(records.map((record) => record["chain"])).size).toBe(1);
    expect(auditFiles(dataDirectory)).toHaveLength(1);
  });

  it("loses nothing and keeps the order under concurrent events (F93)", async () => {
    const { trail, dataDirectory } = await startWorld({ settings: { auditFileBytes: 100_000 } });
    const writers = Array.from({ length: 20 }, async (_, writer) => {
      for (let at = 0; at < 100; at++) {
        trail.record(note(`${writer}:${at}`));
        if (at % 7 === writer % 7) await new Promise((resolve) => setImmediate(resolve));
      }
    });
    await Promise.all(writers);
    await trail.close();
    const records = recordsOnDisk(dataDirectory);
    expect(records.map(({ seq }) => seq)).toEqual(records.map((_, at) => at + 1));
    const notes = records.filter(({ action }) => action === "test.note");
    expect(new Set(notes.map((record) => record["reason"])).size).toBe(2000);
    expect(trail.status()).toMatchObject({ dropped: 0 });
    for (const [at, record] of records.slice(1).entries())
      expect(record.prev).toBe(records[at].hash);
  });

  it("keeps what is recorded before it is open, up to a limit that it tells", async () => {
    const { trail, dataDirectory } = createWorld();
    for (let at = 0; at < EARLY_EVENTS_MAX + 3; at++) trail.record(note(String(at)));
    await trail.start();
    await trail.close();
    const records = recordsOnDisk(dataDirectory);
    expect(records.find(({ action }) => action === "audit.dropped")).toMatchObject({ count: 3 });
    expect(records.filter(({ action }) => action === "test.note")).toHaveLength(EARLY_EVENTS_MAX);
  });

  it("is a no-op when it is off: no file, no record, no refusal (F88)", async () => {
    const { trail, dataDirectory } = await startWorld({ settings: { auditEnabled: false } });
    trail.record(note("unheard"));
    expect(trail.refusal()).toBeNull();
    expect(trail.status()).toMatchObject({ enabled: false, records: 0 });
    await expect(newest(trail, 1)).rejects.toThrow("the audit trail is off");
    await trail.close();
    expect(() => auditFiles(dataDirectory)).toThrow("ENOENT");
  });

  it("changes files by size and removes the oldest beyond audit-keep-files", async () => {
    const { trail, dataDirectory } = await startWorld({
      settings: { auditFileBytes: 8192, auditKeepFiles: 3 },
    });
    for (let at = 0; at < 100; at++) trail.record(note(`${at} ${"x".repeat(200)}`));
    await written(trail);
    await trail.close();
    const files = auditFiles(dataDirectory);
    expect(files.length).toBeLessThanOrEqual(4);
    for (const file of files) {
      expect(statSync(file).size).toBeLessThanOrEqual(8192);
      const [first] = readRecords(readFileSync(file));
      expect(file).toContain(`audit-${String(first.seq).padStart(16, "0")}.jsonl`);
    }
    const records = recordsOnDisk(dataDirectory);
    expect(records.at(-1)!.seq).toBe(trail.status().head.sequence);
    expect(records[0].seq).toBeGreaterThan(1);
    expect(actions(records)).toContain("audit.file.removed");
  });

  it("records after close are counted, not written", async () => {
    const { trail, dataDirectory } = await startWorld();
    await trail.close();
    trail.record(note("late"));
    expect(trail.status().dropped).toBe(1);
    expect(recordsOnDisk(dataDirectory)).toHaveLength(1);
  });
});

describe("What is found at a start", () => {
  async function trailOf(count: number): Promise<string> {
    const { trail, dataDirectory } = await startWorld();
    for (let at = 0; at < count; at++) trail.record(note(String(at)));
    await trail.close();
    return dataDirectory;
  }

  it("a line torn by a kill is cut off, recorded as such, and the chain goes on", async () => {
    const dataDirectory = await trailOf(3);
    const [file] = auditFiles(dataDirectory);
    const whole = readFileSync(file);
    writeFileSync(file, Buffer.concat([whole, whole.subarray(0, 100)]));
    const { trail } = await startWorld({ dataDirectory });
    await trail.close();
    const records = recordsOnDisk(dataDirectory);
    expect(records.at(-1)).toMatchObject({
      seq: 5,
      action: "audit.torn",
      prev: records.at(-2)!.hash,
      reason:
        "an unfinished record of 100 bytes at the end of audit-0000000000000001.jsonl was cut off",
    });
  });

  it("a file that was torn in its first line leaves the chain with the file before", async () => {
    const dataDirectory = await trailOf(3);
    const torn = join(auditDirectory(dataDirectory), "audit-0000000000000005.jsonl");
    writeFileSync(torn, '{"v":1,"seq":5,');
    const { trail } = await startWorld({ dataDirectory });
    trail.record(note("next"));
    await trail.close();
    const records = recordsOnDisk(dataDirectory);
    expect(records.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(records[5].prev).toBe(records[4].hash);
  });

  it("a last record that was changed is left as it is, and a new chain says so", async () => {
    const dataDirectory = await trailOf(3);
    const [file] = auditFiles(dataDirectory);
    const changed = readFileSync(file, "utf8").replace('"reason":"2"', '"reason":"9"');
    writeFileSync(file, changed);
    const { trail, complaints } = await startWorld({ dataDirectory });
    await trail.close();
    expect(readFileSync(file, "utf8")).toBe(changed);
    const started = recordsOnDisk(dataDirectory).at(-1)!;
    expect(started).toMatchObject({
      seq: 5,
      action: "audit.chain.started",
      severity: "alert",
      prev: NO_HASH,
      reason: expect.stringContaining("does not have its hash"),
    });
    expect(started["before"]).toMatch(/^4:[0-9a-f]{64}$/);
    expect(complaints).toEqual(["the audit trail was begun anew"]);
  });

  it("a key that is new begins a new chain", async () => {
    const dataDirectory = await trailOf(1);
    const keyFile = join(dataDirectory, "audit.key");
    writeFileSync(keyFile, "0123456789abcdef0123456789abcdef\n", { mode: 0o600 });
    const { trail } = await startWorld({ dataDirectory, settings: { auditKeyFile: keyFile } });
    await trail.close();
    expect(recordsOnDisk(dataDirectory).at(-1)).toMatchObject({
      seq: 3,
      alg: "hmac-sha256",
      reason: expect.stringContaining("audit-key-file was set"),
    });
    const again = await startWorld({ dataDirectory, settings: { auditKeyFile: keyFile } });
    again.trail.record(note("keyed"));
    await again.trail.close();
    expect(recordsOnDisk(dataDirectory).at(-1)).toMatchObject({ seq: 4, reason: "keyed" });
  });

  it.each([
    ["is missing", null, 0o600, "can not be read: ENOENT"],
    ["is too short", "short", 0o600, "holds less than 16 bytes"],
    ["is open to all", "0123456789abcdef", 0o644, "is open to every user"],
    ["is no key", "x".repeat(5000), 0o600, "is no file of at most 4096 bytes"],
  ])("a key file that %s stops the start", async (_name, content, mode, message) => {
    const dataDirectory = temporaryDirectory();
    const keyFile = join(dataDirectory, "audit.key");
    if (content !== null) {
      writeFileSync(keyFile, content);
      chmodSync(keyFile, mode);
    }
    const { trail } = createWorld({ dataDirectory, settings: { auditKeyFile: keyFile } });
    await expect(trail.start()).rejects.toThrow(message);
  });

  it("links are refused: the directory as one, and a file as one", async () => {
    const dataDirectory = temporaryDirectory();
    const elsewhere = temporaryDirectory();
    symlinkSync(elsewhere, auditDirectory(dataDirectory));
    await expect(createWorld({ dataDirectory }).trail.start()).rejects.toThrow(AuditError);

    const other = temporaryDirectory();
    mkdirSync(auditDirectory(other));
    writeFileSync(join(elsewhere, "target"), "");
    symlinkSync(
      join(elsewhere, "target"),
      join(auditDirectory(other), "audit-0000000000000001.jsonl"),
    );
    await expect(createWorld({ dataDirectory: other }).trail.start()).rejects.toThrow("is a link");
  });

  it("a directory and files that others may read are closed to them", async () => {
    const dataDirectory = await trailOf(1);
    const [file] = auditFiles(dataDirectory);
    chmodSync(auditDirectory(dataDirectory), 0o755);
    chmodSync(file, 0o644);
    const { trail } = await startWorld({ dataDirectory });
    await trail.close();
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(auditDirectory(dataDirectory)).mode & 0o777).toBe(0o700);
  });
});

describe("Looking at the trail", () => {
  it("the newest come first, and the ring forgets the oldest (F89)", async () => {
    const { trail } = await startWorld({ settings: { auditRingEntries: 16 } });
    for (let at = 0; at < 40; at++) trail.record(note(String(at)));
    expect((await newest(trail, 3)).map(({ seq }) => seq)).toEqual([41, 40, 39]);
    await written(trail);
    expect((await newest(trail, 30)).map(({ seq }) => seq)).toEqual(
      Array.from({ length: 30 }, (_, at) => 41 - at),
    );
    await trail.close();
  });

  it("what is not in memory any more is read from the files, also after a restart", async () => {
    const settings = { auditRingEntries: 16, auditFileBytes: 4096 };
    const first = await startWorld({ settings });
    for (let at = 0; at < 60; at++) first.trail.record(note(`old ${at}`));
    await first.trail.close();
    const { trail } = await startWorld({ settings, dataDirectory: first.dataDirectory });
    const found = await since(trail, 0);
    const kept = recordsOnDisk(first.dataDirectory);
    expect(found.map(({ seq }) => seq)).toEqual(kept.map(({ seq }) => seq));
    expect((await since(trail, kept.at(-3)!.seq, 1))[0].seq).toBe(kept.at(-2)!.seq);
    expect(await since(trail, 10_000)).toEqual([]);
    await trail.close();
  });

  it("one answer holds a bounded number of records", async () => {
    const { trail } = await startWorld();
    for (let at = 0; at < PAGE_RECORDS_MAX + 10; at++) trail.record(note("x"));
    expect((await since(trail, 0, 1_000_000)).length).toBeLessThanOrEqual(PAGE_RECORDS_MAX);
    await trail.close();
  });

  it("bisects large files to the same answer that reading all of them gives", async () => {
    const { trail, dataDirectory } = await startWorld({ settings: { auditRingEntries: 16 } });
    for (let at = 0; at < 3000; at++) trail.record(note(`${at} ${"y".repeat(at % 900)}`));
    await written(trail);
    expect(statSync(auditFiles(dataDirectory)[0]).size).toBeGreaterThan(2 * 1024 * 1024);
    for (const after of [0, 1, 2, 700, 1499, 1500, 2900, 2984]) {
      const [first] = await since(trail, after, 2);
      expect(first.seq).toBe(after + 1);
    }
    await trail.close();
  });

  it("readers are known up to a limit, and a user that changes reads anew", () => {
    const readers = new Readers();
    expect(readers.isNew(CLIENT)).toBe(true);
    expect(readers.isNew(CLIENT)).toBe(false);
    expect(readers.isNew({ ...CLIENT, user: "bob" })).toBe(true);
    for (let id = 0; id < READERS_MAX; id++) readers.isNew({ ...CLIENT, id: 1000 + id });
    expect(readers.isNew(CLIENT)).toBe(true);
  });

  it("FOLLOW refuses more followers than there may be", async () => {
    const { trail } = await startWorld();
    const refusals: string[] = [];
    for (let at = 0; at < FOLLOWERS_MAX + 2; at++) {
      trail.follow({ after: 1, count: 1, timeoutMs: 1000 }, (page) => {
        if (!page.ok) refusals.push(page.errorText);
      });
    }
    expect(refusals).toHaveLength(2);
    await trail.close();
  });

  it("FOLLOW answers with the next record, and with nothing when the time is over", async () => {
    const { trail, clock } = await startWorld();
    const answers: number[] = [];
    const query = { after: 1, count: 10, timeoutMs: 5000 };
    const follow = (): (() => void) =>
      trail.follow(query, (page) => void answers.push(page.ok ? page.lines.length : -1));
    follow();
    expect(answers).toEqual([]);
    clock.advance(4999);
    expect(answers).toEqual([]);
    clock.advance(1);
    expect(answers).toEqual([0]);
    follow();
    const giveUp = follow();
    giveUp();
    trail.record(note("news"));
    expect(answers).toEqual([0, 1]);
    follow();
    await until(() => answers.length === 3);
    expect(answers).toEqual([0, 1, 1]);
    trail.follow(
      { ...query, after: 2 },
      (page) => void answers.push(page.ok ? page.lines.length : -1),
    );
    await trail.close();
    expect(answers).toEqual([0, 1, 1, 0]);
  });
});
