import { describe, expect, it } from "vitest";
import { clusterIdBytesMax } from "../../src/disk/segment-format.ts";
import { nodeIdBytesMax } from "../../src/disk/hard-state-codec.ts";
import { segmentBytesMax, segmentBytesMin } from "../../src/disk/log-options.ts";
import { FaultFileSystem } from "./fault-file-system.ts";
import {
  directory,
  entries,
  hardState,
  modes,
  openerOf,
  plain,
  segmentPath,
  storageErrorOf,
} from "./log-fixtures.ts";
import { SeededRandom } from "./seeded-random.ts";

describe.each(modes)("a segmented log, $mode", ({ encryption }) => {
  const open = openerOf(encryption);

  it("is empty on a new disk", () => {
    const { recovered } = open(new FaultFileSystem());
    expect(recovered).toEqual({ hardState: null, entries: [], tornTailBytes: 0 });
  });

  it("gives back entries of every kind, and the hard state, after a restart", () => {
    const disk = new FaultFileSystem();
    const { log } = open(disk);
    const written = [
      { index: 1, term: 3, kind: 1 as const, data: new Uint8Array(0) },
      { index: 2, term: 3, kind: 0 as const, data: Uint8Array.of(1, 2, 3) },
      { index: 3, term: 2 ** 40, kind: 2 as const, data: new Uint8Array(700).fill(9) },
    ];
    log.append({ hardState: hardState(7, 2), entries: written });
    log.sync();
    log.close();
    const { recovered } = open(disk);
    expect(plain(recovered.entries)).toEqual(plain(written));
    expect(recovered.hardState).toEqual(hardState(7, 2));
  });

  it("stores a hard state without a vote and without entries", () => {
    const disk = new FaultFileSystem();
    const { log } = open(disk);
    log.append({ hardState: { term: 5, vote: null, commit: 0 }, entries: [] });
    log.sync();
    expect(open(disk).recovered.hardState).toEqual({ term: 5, vote: null, commit: 0 });
  });

  it("makes many writes durable with one sync", () => {
    const disk = new FaultFileSystem();
    const { log } = open(disk, { segmentBytes: 65_536 });
    const before = disk.fileSyncs;
    for (let index = 1; index <= 50; index += 1) {
      log.append({ hardState: null, entries: entries(index, 1) });
    }
    log.sync();
    expect(disk.fileSyncs - before).toBe(1);
    expect(open(disk).recovered.entries).toHaveLength(50);
  });

  it("R23: keeps nothing of a write that was not synced", () => {
    const disk = new FaultFileSystem();
    const { log } = open(disk);
    log.append({ hardState: hardState(1), entries: entries(1, 3) });
    log.sync();
    log.append({ hardState: hardState(2), entries: entries(4, 3) });
    disk.crash(new SeededRandom(1));
    const { recovered } = open(disk);
    expect(recovered.entries).toHaveLength(3);
    expect(recovered.hardState).toEqual(hardState(1));
  });

  it("lets the later of two entries with one index win, also over a restart", () => {
    const disk = new FaultFileSystem();
    const { log } = open(disk);
    log.append({ hardState: null, entries: entries(1, 10, 1) });
    log.sync();
    log.append({ hardState: null, entries: entries(4, 2, 2) });
    log.sync();
    log.close();
    const again = open(disk);
    const expected = [...entries(1, 3, 1), ...entries(4, 2, 2)];
    expect(plain(again.recovered.entries)).toEqual(plain(expected));
    again.log.append({ hardState: null, entries: entries(6, 1, 2) });
    again.log.sync();
    expect(plain(open(disk).recovered.entries)).toEqual(plain([...expected, ...entries(6, 1, 2)]));
  });

  it("lets the later one win when both are made durable by one sync", () => {
    const disk = new FaultFileSystem();
    const { log } = open(disk);
    log.append({ hardState: null, entries: entries(1, 10, 1) });
    log.append({ hardState: hardState(2), entries: entries(4, 2, 2) });
    log.append({ hardState: null, entries: entries(6, 1, 2) });
    log.sync();
    const { recovered } = open(disk);
    expect(plain(recovered.entries)).toEqual(plain([...entries(1, 3, 1), ...entries(4, 3, 2)]));
    expect(recovered.hardState).toEqual(hardState(2));
  });

  it("goes on in as many segments as it needs", () => {
    const disk = new FaultFileSystem();
    const { log } = open(disk);
    for (let index = 1; index <= 200; index += 1) {
      log.append({ hardState: null, entries: entries(index, 1, 1, 300) });
      log.sync();
      log.prepare();
    }
    expect(log.segmentCount).toBeGreaterThan(10);
    log.close();
    const { recovered } = open(disk);
    expect(plain(recovered.entries)).toEqual(plain(entries(1, 200, 1, 300)));
  });

  it("gives a write larger than a segment one of its own size", () => {
    const disk = new FaultFileSystem();
    const { log } = open(disk);
    const large = entries(2, 1, 1, 50_000);
    for (const written of [entries(1, 1), large, entries(3, 1)]) {
      log.append({ hardState: null, entries: written });
      log.sync();
    }
    expect(disk.contents(segmentPath(2)).length).toBeGreaterThan(50_000);
    expect(disk.contents(segmentPath(2)).length).toBeLessThan(60_000);
    const { recovered } = open(disk);
    expect(plain(recovered.entries)).toEqual(plain([...entries(1, 1), ...large, ...entries(3, 1)]));
  });

  it("removes only segments that hold nothing behind the snapshot", () => {
    const disk = new FaultFileSystem();
    const { log } = open(disk);
    for (let index = 1; index <= 100; index += 1) {
      log.append({ hardState: null, entries: entries(index, 1, 1, 300) });
      log.sync();
    }
    const before = log.segmentCount;
    log.compact(50);
    expect(log.segmentCount).toBeLessThan(before);
    log.close();
    const { recovered } = open(disk, { after: { index: 50, term: 1 } });
    expect(plain(recovered.entries)).toEqual(plain(entries(51, 50, 1, 300)));
  });

  it("keeps the hard state when the segments that first held it are gone", () => {
    const disk = new FaultFileSystem();
    const { log } = open(disk);
    log.append({ hardState: hardState(9), entries: [] });
    log.sync();
    for (let index = 1; index <= 40; index += 1) {
      log.append({ hardState: null, entries: entries(index, 1, 9, 300) });
      log.sync();
    }
    log.compact(40);
    log.reset({ index: 90, term: 9 });
    log.close();
    const { recovered } = open(disk, { after: { index: 90, term: 9 } });
    expect(recovered.hardState).toEqual(hardState(9));
    expect(recovered.entries).toEqual([]);
  });

  it("begins anew behind a received snapshot", () => {
    const disk = new FaultFileSystem();
    const { log } = open(disk);
    log.append({ hardState: hardState(2), entries: entries(1, 20, 1, 300) });
    log.sync();
    log.reset({ index: 500, term: 4 });
    log.append({ hardState: null, entries: entries(501, 2, 4) });
    log.sync();
    log.close();
    expect(disk.list(directory)).toHaveLength(1);
    const { recovered } = open(disk, { after: { index: 500, term: 4 } });
    expect(plain(recovered.entries)).toEqual(plain(entries(501, 2, 4)));
  });

  it("refuses an entry that would leave a gap, and goes on", () => {
    const disk = new FaultFileSystem();
    const { log } = open(disk);
    log.append({ hardState: null, entries: entries(1, 2) });
    expect(storageErrorOf(() => log.append({ hardState: null, entries: entries(4, 1) })).code).toBe(
      "logGap",
    );
    log.append({ hardState: null, entries: entries(3, 1) });
    log.sync();
    expect(open(disk).recovered.entries).toHaveLength(3);
  });

  it("reserves the next segment before it is needed, in slices that follow the writes", () => {
    const disk = new FaultFileSystem();
    const segmentBytes = 4 * 1024 * 1024;
    const { log } = open(disk, { segmentBytes });
    let index = 1;
    let steps = 0;
    while (!disk.exists(segmentPath(2)) || disk.contents(segmentPath(2)).length < segmentBytes) {
      log.append({ hardState: null, entries: entries(index, 1, 1, 100_000) });
      log.sync();
      log.prepare();
      index += 1;
      steps += disk.exists(segmentPath(2)) ? 1 : 0;
    }
    expect(log.segmentCount).toBe(1);
    expect(steps).toBeGreaterThan(5);
  });

  it("fails for good when a sync fails", () => {
    const disk = new FaultFileSystem();
    const { log } = open(disk);
    log.append({ hardState: null, entries: entries(1, 1) });
    disk.failSyncs = true;
    expect(storageErrorOf(() => log.sync()).code).toBe("deviceFailed");
    disk.failSyncs = false;
    expect(storageErrorOf(() => log.sync()).code).toBe("closed");
    expect(storageErrorOf(() => log.append({ hardState: null, entries: [] })).code).toBe("closed");
  });

  it("waits for room without losing or reordering anything", () => {
    const disk = new FaultFileSystem();
    const { log } = open(disk);
    disk.capacityBytes = disk.usedBytes();
    let index = 1;
    const fill = (): void => {
      for (;;) {
        log.append({ hardState: hardState(index), entries: entries(index, 1, 1, 300) });
        index += 1;
        log.sync();
      }
    };
    expect(storageErrorOf(fill).code).toBe("noSpace");
    expect(storageErrorOf(() => log.sync()).code).toBe("noSpace");
    expect(storageErrorOf(() => log.prepare()).code).toBe("noSpace");
    expect(plain(open(disk.copy()).recovered.entries)).toEqual(
      plain(entries(1, index - 2, 1, 300)),
    );
    log.append({ hardState: null, entries: entries(index, 1, 1, 300) });
    disk.capacityBytes = Infinity;
    log.sync();
    const { recovered } = open(disk);
    expect(plain(recovered.entries)).toEqual(plain(entries(1, index, 1, 300)));
    expect(recovered.hardState).toEqual(hardState(index - 1));
  });

  it("can not be made on a full disk, says so, and can be made later", () => {
    const disk = new FaultFileSystem();
    disk.capacityBytes = 1000;
    expect(storageErrorOf(() => open(disk)).code).toBe("noSpace");
    disk.capacityBytes = Infinity;
    expect(open(disk).recovered.entries).toEqual([]);
  });

  it("refuses what is beyond its limits", () => {
    const code = (action: () => unknown): string => storageErrorOf(action).code;
    const disk = new FaultFileSystem();
    expect(code(() => open(disk, { segmentBytes: segmentBytesMin - 1 }))).toBe("limitExceeded");
    expect(code(() => open(disk, { segmentBytes: segmentBytesMax + 1 }))).toBe("limitExceeded");
    expect(code(() => open(disk, { clusterId: "c".repeat(clusterIdBytesMax + 1) }))).toBe(
      "limitExceeded",
    );
    const longest = new FaultFileSystem();
    const clusterId = "c".repeat(clusterIdBytesMax);
    const { log } = open(longest, { clusterId });
    const vote = "n".repeat(nodeIdBytesMax);
    expect(
      code(() => log.append({ hardState: { term: 1, vote: `${vote}n`, commit: 0 }, entries: [] })),
    ).toBe("limitExceeded");
    log.append({ hardState: { term: 1, vote, commit: 0 }, entries: [] });
    log.reset({ index: 5, term: 1 });
    const { recovered } = open(longest, { clusterId, after: { index: 5, term: 1 } });
    expect(recovered.hardState).toEqual({ term: 1, vote, commit: 0 });
  });
});
