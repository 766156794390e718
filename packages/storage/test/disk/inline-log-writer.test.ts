import { describe, expect, it } from "vitest";
import { InlineLogWriter } from "../../src/disk/inline-log-writer.ts";
import type { LogWriterEvents } from "../../src/disk/ports.ts";
import { FaultFileSystem } from "./fault-file-system.ts";
import { directory, entries, hardState, keysBehind, modes, open, plain } from "./log-fixtures.ts";
import { logWriterSuite, segmentBytes } from "./log-writer-suite.ts";

for (const { mode, encryption } of modes) {
  logWriterSuite(`the inline log writer, ${mode}`, () => {
    const disk = new FaultFileSystem();
    const options = { segmentBytes, encryption };
    return {
      open: async (events, after = { index: 0, term: 0 }) => {
        const { log, recovered } = open(disk, { ...options, after });
        const writer = new InlineLogWriter(log, events, (task) => setImmediate(task));
        return { writer, recovered };
      },
      encryption,
      keys: keysBehind(encryption),
      bytes: () =>
        Buffer.concat(disk.list(directory).map((name) => disk.contents(`${directory}/${name}`))),
      recoverNow: (keys) =>
        open(disk.copy(), { ...options, encryption: keys ?? encryption }).recovered,
      segmentCount: () => disk.list(directory).length,
      remove: () => undefined,
    };
  });
}

/** A clock that stands still until it is moved. */
class VirtualTime {
  readonly #tasks: { readonly atMs: number; readonly run: () => void }[] = [];
  nowMs = 0;

  readonly schedule = (run: () => void, delayMs: number): void => {
    this.#tasks.push({ atMs: this.nowMs + delayMs, run });
  };

  advance(byMs: number): void {
    const untilMs = this.nowMs + byMs;
    for (;;) {
      this.#tasks.sort((a, b) => a.atMs - b.atMs);
      if (this.#tasks.length === 0 || this.#tasks[0].atMs > untilMs) {
        break;
      }
      const task = this.#tasks.shift()!;
      this.nowMs = task.atMs;
      task.run();
    }
    this.nowMs = untilMs;
  }
}

function start(disk: FaultFileSystem) {
  const time = new VirtualTime();
  const told: string[] = [];
  const events: LogWriterEvents = {
    onFailure: (error) => told.push(`failure ${"code" in error ? String(error.code) : ""}`),
    onSpace: (full) => told.push(full ? "full" : "room"),
  };
  const { log } = open(disk);
  return { time, told, writer: new InlineLogWriter(log, events, time.schedule) };
}

describe("a full disk under the inline log writer", () => {
  it("O19: is told once; writes wait in order and go on when there is room", () => {
    const disk = new FaultFileSystem();
    const { time, told, writer } = start(disk);
    disk.capacityBytes = disk.usedBytes();
    const done: number[] = [];
    for (let index = 1; index <= 30; index += 1) {
      writer.submit({ hardState: null, entries: entries(index, 1, 1, 300) }, () =>
        done.push(index),
      );
      time.advance(1);
    }
    const before = done.length;
    expect(told).toEqual(["full"]);
    expect(before).toBeGreaterThan(3);
    expect(before).toBeLessThan(12);
    time.advance(5000);
    expect(done).toHaveLength(before);
    disk.capacityBytes = Infinity;
    time.advance(250);
    expect(told).toEqual(["full", "room"]);
    expect(done).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
    expect(plain(open(disk).recovered.entries)).toEqual(plain(entries(1, 30, 1, 300)));
  });

  it("O19: is told while the segment still has room, so that a vote can be stored on a full disk", () => {
    const disk = new FaultFileSystem();
    const { time, told, writer } = start(disk);
    disk.capacityBytes = disk.usedBytes();
    let durable = 0;
    writer.submit({ hardState: null, entries: entries(1, 1, 1, 2500) }, () => (durable += 1));
    time.advance(1);
    expect(told).toEqual(["full"]);
    writer.submit({ hardState: hardState(8), entries: [] }, () => (durable += 1));
    time.advance(1);
    expect(durable).toBe(2);
    expect(open(disk.copy()).recovered.hardState).toEqual(hardState(8));
  });

  it("finds the room that compaction makes", () => {
    const disk = new FaultFileSystem();
    const { time, told, writer } = start(disk);
    for (let index = 1; index <= 20; index += 1) {
      writer.submit({ hardState: null, entries: entries(index, 1, 1, 900) }, () => undefined);
      time.advance(1);
    }
    disk.capacityBytes = disk.usedBytes();
    let durable = 0;
    for (let index = 21; index <= 30; index += 1) {
      writer.submit({ hardState: null, entries: entries(index, 1, 1, 900) }, () => (durable += 1));
      time.advance(1);
    }
    expect(durable).toBeLessThan(10);
    writer.compact(18);
    time.advance(250);
    expect(durable).toBe(10);
    expect(told.at(-1)).toBe("room");
  });

  it("closes although there is no room for what was submitted last, which is not acknowledged", () => {
    const disk = new FaultFileSystem();
    const { time, writer } = start(disk);
    disk.capacityBytes = disk.usedBytes();
    let durable = 0;
    let isClosed = false;
    for (let index = 1; index <= 10; index += 1) {
      writer.submit({ hardState: null, entries: entries(index, 1, 1, 900) }, () => (durable += 1));
      time.advance(1);
    }
    writer.close(() => (isClosed = true));
    time.advance(250);
    expect(isClosed).toBe(true);
    expect(durable).toBeGreaterThan(0);
    expect(open(disk.copy()).recovered.entries.length).toBeGreaterThanOrEqual(durable);
  });
});

describe("a failing disk under the inline log writer", () => {
  it("R50: a failed sync is told once and never tried again", () => {
    const disk = new FaultFileSystem();
    const { time, told, writer } = start(disk);
    let durable = 0;
    writer.submit({ hardState: null, entries: entries(1, 1) }, () => (durable += 1));
    time.advance(1);
    disk.failSyncs = true;
    writer.submit({ hardState: null, entries: entries(2, 1) }, () => (durable += 1));
    time.advance(1);
    disk.failSyncs = false;
    const syncs = disk.fileSyncs;
    writer.submit({ hardState: null, entries: entries(3, 1) }, () => (durable += 1));
    time.advance(1000);
    expect(told).toEqual(["failure deviceFailed"]);
    expect(durable).toBe(1);
    expect(disk.fileSyncs).toBe(syncs);
  });
});
