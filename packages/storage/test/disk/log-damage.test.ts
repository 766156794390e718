import { crc32 } from "node:zlib";
import { isDeepStrictEqual } from "node:util";
import { describe, expect, it } from "vitest";
import { finishRecord } from "../../src/disk/record-format.ts";
import { segmentHeaderBytes } from "../../src/disk/segment-format.ts";
import { StorageError } from "../../src/disk/errors.ts";
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

describe.each(modes)("a damaged $mode log", ({ encryption }) => {
  const open = openerOf(encryption);

  /** A log of a few segments, all of it synced; the last record reaches over several sectors. */
  function syncedLog(): { disk: FaultFileSystem; count: number } {
    const disk = new FaultFileSystem();
    const { log } = open(disk);
    let count = 0;
    for (const sizeBytes of [40, 600, 90, 1500, 200, 700, 1300, 60, 60, 1900, 900, 1800]) {
      log.append({ hardState: hardState(count + 1), entries: entries(count + 1, 1, 1, sizeBytes) });
      log.sync();
      count += 1;
    }
    log.prepare();
    log.close();
    return { disk, count };
  }

  function contentsOf(disk: FaultFileSystem): Map<string, Buffer> {
    return new Map(
      disk
        .list(directory)
        .map((name) => [name, Buffer.from(disk.contents(`${directory}/${name}`))]),
    );
  }

  /** Opens a damaged copy. */
  function openDamaged(
    disk: FaultFileSystem,
    path: string,
    damage: (bytes: Uint8Array) => void,
  ): { error: StorageError | null; found: unknown[]; filesChanged: boolean } {
    const copy = disk.copy();
    damage(copy.contents(path));
    const before = contentsOf(copy);
    try {
      return { error: null, found: plain(open(copy).recovered.entries), filesChanged: true };
    } catch (error) {
      if (!(error instanceof StorageError)) {
        throw error;
      }
      return { error, found: [], filesChanged: !isDeepStrictEqual(contentsOf(copy), before) };
    }
  }

  it("R58: a changed byte anywhere in a synced log is reported, or harms nothing; no entry is ever cut off", () => {
    const { disk, count } = syncedLog();
    const whole = plain(open(disk.copy()).recovered.entries);
    expect(whole).toHaveLength(count);
    const paths = disk.list(directory).map((name) => `${directory}/${name}`);
    expect(paths.length).toBeGreaterThan(3);
    let reported = 0;
    for (const path of paths) {
      for (let at = 0; at < disk.contents(path).length; at += at < 2500 ? 7 : 37) {
        const mask = [0x01, 0x80, 0xff][at % 3];
        const { error, found, filesChanged } = openDamaged(disk, path, (bytes) => {
          bytes[at] = bytes[at] ^ mask;
        });
        const isHarmless = error === null && isDeepStrictEqual(found, whole);
        const isReported =
          error !== null &&
          !filesChanged &&
          error.message.includes(`file ${path}, byte offset ${error.offsetBytes}`);
        expect(isHarmless || isReported, `byte ${at} of ${path}: ${error?.message}`).toBe(true);
        reported += isReported ? 1 : 0;
      }
    }
    expect(reported).toBeGreaterThan(500);
  });

  it("R58: a lost sector of a record that others follow is reported with its offset", () => {
    const { disk } = syncedLog();
    const { error } = openDamaged(disk, segmentPath(1), (bytes) => {
      bytes.fill(0, 512, 1024);
    });
    expect(error?.code).toBe("damaged");
    expect(error?.offsetBytes).toBe(512);
  });

  it("R58: a record of the last segment that lost its beginning is reported when a later record is whole", () => {
    const disk = new FaultFileSystem();
    const { log } = open(disk);
    log.append({ hardState: null, entries: entries(1, 1) });
    log.sync();
    const at = log.suspend().active.endBytes;
    const again = open(disk);
    for (const index of [2, 3]) {
      again.log.append({ hardState: null, entries: entries(index, 1, 1, 700) });
      again.log.sync();
    }
    again.log.close();
    disk.contents(segmentPath(1)).fill(0, at, at + 512);
    const error = storageErrorOf(() => open(disk));
    expect(error.code).toBe("damaged");
    expect(error.offsetBytes).toBe(at);
    expect(error.message).toContain("a later record is whole");
  });

  it("takes a last record with a missing sector for a write that a crash cut off", () => {
    const disk = new FaultFileSystem();
    const { log } = open(disk);
    log.append({ hardState: null, entries: entries(1, 1, 1, 100) });
    log.sync();
    log.append({ hardState: null, entries: entries(2, 1, 1, 2000) });
    log.sync();
    log.close();
    const bytes = disk.contents(segmentPath(1));
    bytes.fill(0, 1536, 2048);
    const { recovered } = open(disk);
    expect(plain(recovered.entries)).toEqual(plain(entries(1, 1, 1, 100)));
    expect(recovered.tornTailBytes).toBeGreaterThan(1000);
  });

  it("R14: cuts a last record that ends at any byte, and never reads its rest again", () => {
    const disk = new FaultFileSystem();
    const { log } = open(disk);
    log.append({ hardState: hardState(1), entries: entries(1, 3) });
    log.sync();
    const start = contentEnd(disk.contents(segmentPath(1)));
    log.append({ hardState: hardState(2), entries: entries(4, 3, 1, 300) });
    log.sync();
    log.close();
    const end = contentEnd(disk.contents(segmentPath(1)));
    expect(end - start).toBeGreaterThan(900);
    for (let cut = start; cut < end; cut += 1) {
      const copy = disk.copy();
      copy.contents(segmentPath(1)).fill(0, cut);
      const again = open(copy);
      // Without its end mark, but with all of its body, it may count as whole.
      const isWhole = cut > end - 64 && again.recovered.entries.length === 6;
      expect(again.recovered.entries).toHaveLength(isWhole ? 6 : 3);
      expect(again.recovered.hardState).toEqual(hardState(isWhole ? 2 : 1));
      // A short record where the long torn one was: what lay behind it must not come back.
      again.log.append({ hardState: null, entries: entries(4, 1, 3) });
      again.log.sync();
      const last = open(copy).recovered;
      expect(plain(last.entries)).toEqual(plain([...entries(1, 3), ...entries(4, 1, 3)]));
      expect(last.tornTailBytes).toBe(0);
    }
  });

  it("R23: keeps what it once recovered, also when only the process had crashed and power is lost later", () => {
    for (let seed = 0; seed < 40; seed += 1) {
      const disk = new FaultFileSystem();
      const { log } = open(disk);
      log.append({ hardState: hardState(1), entries: entries(1, 2, 1, 600) });
      // The write happens, its sync does not: the process ends between them.
      disk.stepsLeft = 1;
      expect(storageErrorOf(() => log.sync()).code).toBe("deviceFailed");
      disk.stepsLeft = null;
      expect(open(disk).recovered.entries).toHaveLength(2);
      disk.crash(new SeededRandom(seed));
      const { recovered } = open(disk);
      expect(recovered.entries).toHaveLength(2);
      expect(recovered.hardState).toEqual(hardState(1));
    }
  });

  it("R10: refuses a log that does not reach back to the snapshot", () => {
    const disk = new FaultFileSystem();
    const { log } = open(disk);
    log.reset({ index: 100, term: 2 });
    log.append({ hardState: null, entries: entries(101, 5, 2) });
    log.sync();
    log.close();
    const error = storageErrorOf(() => open(disk, { after: { index: 70, term: 1 } }));
    expect(error.code).toBe("logGap");
    expect(error.message).toContain("ends at index 70, the log begins at index 101");
    expect(storageErrorOf(() => open(disk)).code).toBe("logGap");
    expect(open(disk, { after: { index: 103, term: 2 } }).recovered.entries).toHaveLength(2);
  });

  it("R10: comes up at every step of a reset that a crash interrupts", () => {
    let finished = false;
    for (let steps = 0; !finished; steps += 1) {
      const disk = new FaultFileSystem();
      const { log } = open(disk);
      log.append({ hardState: hardState(2), entries: entries(1, 8, 1, 900) });
      log.sync();
      disk.stepsLeft = steps;
      try {
        log.reset({ index: 300, term: 5 });
        finished = true;
      } catch {
        finished = false;
      }
      expect(finished || disk.stepsLeft === 0).toBe(true);
      disk.stepsLeft = null;
      const after = { index: 300, term: 5 };
      const again = open(disk, { after });
      expect(again.recovered.entries).toEqual([]);
      expect(again.recovered.hardState).toEqual(hardState(2));
      again.log.append({ hardState: null, entries: entries(301, 1, 5) });
      again.log.sync();
      expect(open(disk, { after }).recovered.entries).toHaveLength(1);
    }
  });

  it("drops a log of another history than the snapshot's, and one that ends before it", () => {
    const disk = new FaultFileSystem();
    const { log } = open(disk);
    log.append({ hardState: hardState(3), entries: entries(1, 10, 2) });
    log.sync();
    log.close();
    for (const after of [
      { index: 5, term: 3 },
      { index: 11, term: 2 },
    ]) {
      const copy = disk.copy();
      const again = open(copy, { after });
      expect(again.recovered.entries).toEqual([]);
      again.log.append({ hardState: null, entries: entries(after.index + 1, 2, 4) });
      again.log.sync();
      const expected = plain(entries(after.index + 1, 2, 4));
      expect(plain(open(copy, { after }).recovered.entries)).toEqual(expected);
    }
    expect(open(disk.copy(), { after: { index: 5, term: 2 } }).recovered.entries).toHaveLength(5);
  });

  it("names a segment that is missing: in the middle, at the end, or the whole log", () => {
    const { disk } = syncedLog();
    const last = disk.list(directory).length;
    const middle = disk.copy();
    middle.discard(segmentPath(2));
    expect(storageErrorOf(() => open(middle)).message).toContain(
      "00000000000000000002.log is missing",
    );
    const end = disk.copy();
    end.discard(segmentPath(last));
    end.discard(segmentPath(last - 1));
    const error = storageErrorOf(() => open(end));
    expect(error.code).toBe("segmentMissing");
    const all = new FaultFileSystem();
    expect(storageErrorOf(() => open(all, { after: { index: 7, term: 1 } })).code).toBe(
      "segmentMissing",
    );
  });

  it("refuses a first segment that is missing while the snapshot does not cover it", () => {
    const { disk } = syncedLog();
    disk.discard(segmentPath(1));
    expect(storageErrorOf(() => open(disk)).code).toBe("logGap");
  });

  it("refuses files of another cluster, another group, another place and a later version", () => {
    const { disk } = syncedLog();
    const code = (action: () => unknown): string => storageErrorOf(action).code;
    const foreign = storageErrorOf(() => open(disk.copy(), { clusterId: "another" }));
    expect(foreign.code).toBe("foreignCluster");
    expect(foreign.message).toContain("another");
    expect(code(() => open(disk.copy(), { groupId: 1 }))).toBe("foreignGroup");
    const swapped = disk.copy();
    swapped.put(segmentPath(2), disk.contents(segmentPath(1)));
    expect(code(() => open(swapped))).toBe("damaged");
    const later = disk.copy();
    laterRecordVersion(later.contents(segmentPath(1)));
    const error = storageErrorOf(() => open(later));
    expect(error.code).toBe("unknownVersion");
    expect(error.offsetBytes).toBe(segmentHeaderBytes);
  });

  it("reports a segment that became shorter", () => {
    const { disk } = syncedLog();
    disk.put(segmentPath(1), disk.contents(segmentPath(1)).slice(0, 3000));
    expect(storageErrorOf(() => open(disk)).code).toBe("damaged");
  });

  it("does not take bytes that a client wrote for a record", () => {
    const disk = new FaultFileSystem();
    const { log } = open(disk);
    log.append({ hardState: null, entries: entries(1, 1) });
    log.sync();
    const start = contentEnd(disk.contents(segmentPath(1)));
    // A value full of records as they would look without the salt, one for each place it may land at.
    const data = new Uint8Array(1600);
    for (let at = 0; at + 128 <= data.length; at += 64) {
      finishRecord(data.subarray(at, at + 128), {
        seal: false,
        sequence: 9,
        firstIndex: 2,
        entryCount: 0,
        bodyBytes: 0,
        hardStateBytes: 0,
        segmentNumber: 1,
        position: start + 64 + 16 + at,
        previousChecksum: 0,
        salt: 0,
      });
    }
    log.append({ hardState: null, entries: [{ index: 2, term: 1, kind: 0, data }] });
    log.sync();
    log.close();
    disk.contents(segmentPath(1)).fill(0, start, start + 64);
    expect(open(disk).recovered.entries).toHaveLength(1);
  });
});

function contentEnd(bytes: Uint8Array): number {
  return bytes.findLastIndex((byte) => byte !== 0) + 1;
}

/** Turns the first record into one of version 2 with a right checksum, as a later program would write it. */
function laterRecordVersion(bytes: Uint8Array): void {
  const at = segmentHeaderBytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const salt = view.getUint32(56, true);
  bytes[at + 4] = 2;
  view.setUint32(at + 56, crc32(bytes.subarray(at, at + 56), salt), true);
}
